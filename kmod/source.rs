// SPDX-License-Identifier: GPL-2.0

//! Where a call's socket buffer is.

use super::bindings::xcap_peek;

/// Where the frame of a call is to be had from.
#[derive(Clone, Copy, PartialEq)]
#[repr(u8)]
pub(crate) enum Source {
    /// Nowhere: there are several, or none yet.
    None,
    /// The argument points to its socket buffer.
    Buffer,
    /// The argument points to what points to that.
    BufferPointer,
    /// The argument points to what has a queue, of which it is the first.
    Queue,
}

impl Source {
    pub(crate) const fn of_word(word: u8) -> Self {
        match word {
            1 => Source::Buffer,
            2 => Source::BufferPointer,
            3 => Source::Queue,
            _ => Source::None,
        }
    }

    /// The socket buffer of a call with this argument, with a queue `offset` bytes into what that
    /// points to.
    #[inline(always)]
    pub(crate) fn buffer(self, argument: u64, offset: u32) -> Option<u64> {
        match self {
            Source::None => None,
            Source::Buffer => Some(argument),
            Source::BufferPointer => peek(argument),
            Source::Queue => {
                let queue = argument.wrapping_add(offset.into());
                // An empty one points to itself.
                peek(queue).filter(|&first| first != queue)
            }
        }
    }
}

#[inline(always)]
fn peek(from: u64) -> Option<u64> {
    let mut value = 0;
    // SAFETY: Reads without faulting whatever is there.
    unsafe { xcap_peek(from, &raw mut value) }.then_some(value)
}
