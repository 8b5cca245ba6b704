// SPDX-License-Identifier: GPL-2.0

//! Why marks can't be read.

use xcap_abi::paths::MARKS;

/// Says so, and what to do.
pub fn unreadable(name: &str, error: &std::io::Error) -> String {
    let hint = match error.raw_os_error() {
        Some(libc::ENODATA) => {
            ": no marks were left yet: echo marks on >/sys/kernel/debug/xcap/control"
        }
        Some(libc::EBUSY) => ": somebody else reads it",
        Some(libc::ENOENT) if name == MARKS => ": is xcap.ko loaded?",
        _ => "",
    };
    format!("cannot read '{name}': {error}{hint}")
}
