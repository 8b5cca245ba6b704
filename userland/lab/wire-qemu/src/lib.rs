// SPDX-License-Identifier: GPL-2.0

//! A plugin of QEMU's emulator: puts frames on the receiving card's wire, each at its moment of the receiver's clock.
//!
//! `-plugin libxcap_wire_qemu.so,control=FD`: what is read there is a line for each offer, an [`xcap_wire::Offer`], and
//! what is written is what became of it, an [`xcap_wire::Offered`].
//!
//! The machine's instructions in user mode are counted as its code is translated, by what that is translated to: no
//! call for any of them.

mod qemu;
mod sending;
mod user;

use std::ffi::{c_char, c_int, c_void, CStr};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::fd::FromRawFd;

/// Version of the interface that this is written for: QEMU 9.2's, and later ones take it.
#[no_mangle]
pub static qemu_plugin_version: c_int = 4;

/// Called by QEMU when it loads this; returns what isn't 0 if that fails.
///
/// # Safety
///
/// Only QEMU may call it, as its header says: the `argc` arguments are valid.
#[no_mangle]
pub unsafe extern "C" fn qemu_plugin_install(
    id: u64,
    _: *const c_void,
    argc: c_int,
    argv: *const *const c_char,
) -> c_int {
    let count = usize::try_from(argc).unwrap_or(0);
    let mut arguments = (0..count).map(|i| {
        // SAFETY: There are `argc` arguments, and each is a string that stays.
        unsafe { CStr::from_ptr(*argv.add(i)) }.to_string_lossy()
    });
    let control = arguments.find_map(|argument| argument.strip_prefix("control=")?.parse().ok());
    let Some(control) = control else {
        eprintln!("xcap: the wire's control=FD is missing");
        return 1;
    };
    // SAFETY: Whoever starts QEMU hands the descriptor to this plugin alone.
    let control = unsafe { File::from_raw_fd(control) };
    // SAFETY: QEMU is calling this, with this plugin's id.
    unsafe { user::count(id) };
    std::thread::spawn(move || serve(control));
    0
}

/// Takes offers until the lab closes its end.
fn serve(control: File) {
    let answers = match control.try_clone() {
        Ok(answers) => answers,
        Err(e) => return eprintln!("xcap: the wire can't be spoken to: {e}"),
    };
    sending::answer_to(answers);
    for line in BufReader::new(control).lines() {
        let offer = line.map_err(|e| e.to_string());
        if let Err(e) = offer.and_then(|line| sending::begin(line.parse()?)) {
            eprintln!("xcap: an offer of frames fails: {e}");
            // The lab sees its line closed, and shows what was said.
            std::process::exit(1);
        }
    }
}
