// SPDX-License-Identifier: GPL-2.0

//! What a hit costs that leaves a mark, measured on a function of xcap's own that is about a frame.

use super::{
    bindings::{xcap_empty_about, xcap_free_buffer, xcap_numbered_buffer},
    calibration::{batches, cost, probed, Cost},
    epoch,
    mark_rings::{self, Rings},
    marking::Marking,
    source::Source,
};
use crate::abi::backend::Backend;
use core::ptr::NonNull;
use kernel::{bindings::sk_buff, prelude::*};

/// Room for all marks of all batches.
const RING: usize = 1 << 14;

/// A socket buffer with a frame that has a number.
pub(crate) struct Buffer(NonNull<sk_buff>);

impl Buffer {
    pub(crate) fn new() -> Result<Self> {
        // SAFETY: Called from process context.
        let buffer = unsafe { xcap_numbered_buffer() };
        NonNull::new(buffer).map(Self).ok_or(ENOMEM)
    }

    pub(crate) fn as_ptr(&self) -> *mut sk_buff {
        self.0.as_ptr()
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: Made by `new`, and nobody else's.
        unsafe { xcap_free_buffer(self.0.as_ptr()) };
    }
}

/// What hits cost that leave marks, by backend.
pub(crate) struct MarkingCosts(KVec<(Backend, Cost)>);

impl MarkingCosts {
    /// Measures all backends, in rings of its own. Nothing is armed, and the epoch is closed; no
    /// command has its turn meanwhile.
    pub(crate) fn measure() -> Result<Self> {
        let rings = Rings::new(RING, KVec::new())?;
        let before = mark_rings::active();
        rings.activate(1);
        epoch::open();
        let measured = Self::measure_in_rings();
        epoch::close();
        mark_rings::deactivate();
        before.restore();
        measured
    }

    fn measure_in_rings() -> Result<Self> {
        let buffer = Buffer::new()?;
        // SAFETY: The function does nothing.
        let call = || unsafe { xcap_empty_about(buffer.as_ptr()) };
        let marking = Marking {
            place: 0,
            source: Source::Buffer,
            argument: 0,
            offset: 0,
        };
        let unprobed = batches(call, None)?;
        let mut costs = KVec::new();
        for backend in Backend::ALL {
            let hit = probed(
                backend,
                xcap_empty_about as *const (),
                Some(marking),
                None,
                |cells| Ok(cost(&batches(call, Some(cells))?, &unprobed)),
            );
            match hit {
                Ok(cost) => costs.push((backend, cost), GFP_KERNEL)?,
                Err(error) if error == ENOMEM => return Err(error),
                // That it can't be calibrated was said when xcap was loaded.
                Err(_) => {}
            }
        }
        Ok(Self(costs))
    }

    /// The same of one backend, of whose hits `plain` is what they cost without marks: a mark is
    /// made before and after the sample, and adds nothing to it.
    pub(crate) fn of(&self, backend: Backend, plain: Cost) -> Option<Cost> {
        let (_, cost) = self.0.iter().find(|(of, _)| *of == backend)?;
        Some(Cost {
            inside: plain.inside,
            quartile: None,
            ..*cost
        })
    }
}
