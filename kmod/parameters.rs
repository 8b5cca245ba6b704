// SPDX-License-Identifier: GPL-2.0

//! The module's parameters.

use super::bindings;
use crate::abi::{backend::Choice, stage::Stage};
use kernel::{
    prelude::*,
    str::{BStr, CStr},
};

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

/// The parameter `stages`: the stages to begin with.
#[derive(Clone, Copy)]
pub(crate) struct Stages(u32);

const _: () = assert!(Stage::ALL.len() <= u32::BITS as usize);

impl Stages {
    const ALL: Self = Self(u32::MAX);

    pub(crate) fn chosen() -> Result<Self> {
        // SAFETY: The parameter is a C string that nobody changes (its mode is 0444).
        let words = unsafe { CStr::from_ptr(bindings::xcap_stages.cast()) };
        if words.to_bytes().is_empty() {
            return Ok(Self::ALL);
        }
        let mut chosen = Self(0);
        for word in words.to_bytes().split(|&byte| byte == b',') {
            let stage = core::str::from_utf8(word)
                .ok()
                .and_then(Stage::parse)
                .filter(|stage| !stage.is_transmit())
                .ok_or_else(|| {
                    pr_err!(
                        "stages={words:?}: {:?} is none of the stages of receiving\n",
                        BStr::from_bytes(word)
                    );
                    EINVAL
                })?;
            chosen.0 |= 1 << stage as u32;
        }
        Ok(chosen)
    }

    pub(crate) fn include(self, stage: Stage) -> bool {
        self.0 & 1 << stage as u32 != 0
    }
}
