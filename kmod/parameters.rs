// SPDX-License-Identifier: GPL-2.0

//! The module's parameters.

use super::bindings;
use crate::abi::backend::Choice;
use kernel::{prelude::*, str::CStr};

/// The parameter `backend`.
pub(crate) fn backend() -> Result<Choice> {
    // SAFETY: The parameter is a C string that nobody changes (its mode is 0444).
    let word = unsafe { CStr::from_ptr(bindings::xcap_backend.cast()) };
    let choice = core::str::from_utf8(word.to_bytes())
        .ok()
        .and_then(Choice::parse);
    choice.ok_or_else(|| {
        pr_err!("backend={word:?}: not one of auto, direct, fprobe, kretprobe\n");
        EINVAL
    })
}
