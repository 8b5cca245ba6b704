// SPDX-License-Identifier: GPL-2.0

//! Hits that the kernel lost before xcap saw them.

/// Hits that a hook lost.
#[derive(Clone, Copy, Default)]
pub(crate) struct Missed {
    /// No room to keep the entry time.
    pub(crate) pool: u64,
    /// Inside another probe's handler.
    pub(crate) busy: u64,
}

impl Missed {
    pub(crate) fn plus(self, more: Self) -> Self {
        Self {
            pool: self.pool.wrapping_add(more.pool),
            busy: self.busy.wrapping_add(more.busy),
        }
    }

    pub(crate) fn minus(self, less: Self) -> Self {
        Self {
            pool: self.pool.wrapping_sub(less.pool),
            busy: self.busy.wrapping_sub(less.busy),
        }
    }
}
