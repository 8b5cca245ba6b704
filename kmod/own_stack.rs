// SPDX-License-Identifier: GPL-2.0

//! The calls that the current task is in itself: who waits for those waits for ever.
//!
//! C header: [`include/linux/stacktrace.h`](srctree/include/linux/stacktrace.h)

use super::bindings::stack_trace_save;
use core::ops::Range;
use kernel::prelude::*;

/// Calls between a system call and us are some twenty.
const DEPTH: usize = 64;

/// Where the calls that this task is in return to.
pub(crate) struct OwnStack(KVec<usize>);

impl OwnStack {
    pub(crate) fn now() -> Result<Self> {
        let mut addresses = KVec::from_elem(0, DEPTH, GFP_KERNEL)?;
        // SAFETY: The buffer has room for as many.
        let found = unsafe { stack_trace_save(addresses.as_mut_ptr(), DEPTH as u32, 0) };
        addresses.truncate(found as usize);
        Ok(Self(addresses))
    }

    /// Whether one of the calls returns to `text`.
    pub(crate) fn returns_to(&self, text: &Range<usize>) -> bool {
        self.0.iter().any(|&address| text.contains(&address))
    }
}
