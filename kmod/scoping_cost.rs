// SPDX-License-Identifier: GPL-2.0

//! What a hit costs where calls have to be in scope, measured on a function of xcap's own.
//!
//! An interface and a namespace are told by a socket buffer here: an argument that points to one is
//! what most functions have, and what takes longest to follow.

use super::{
    bindings::{
        xcap_belonging_XCAP_OF_BUFFER, xcap_empty_about, xcap_own_origin, xcap_own_process,
    },
    calibration::{batches, cost, probed, Cost},
    epoch,
    marking_cost::Buffer,
    scope::{Same, Scope, Told},
    source::Source,
};
use crate::abi::backend::Backend;
use kernel::prelude::*;

/// What hits cost.
#[derive(Clone, Copy)]
pub(crate) struct ScopedCost {
    /// In scope.
    pub(crate) within: Cost,
    /// Out of it.
    pub(crate) away: Cost,
}

/// By backend, and by what is compared: an interface or a namespace; a process.
pub(crate) struct ScopingCosts(KVec<(Backend, [ScopedCost; 2])>);

impl ScopingCosts {
    /// Measures all backends. Nothing is armed, the epoch is closed.
    pub(crate) fn measure() -> Result<Self> {
        epoch::open();
        let measured = Self::measure_in_epoch();
        epoch::close();
        measured
    }

    fn measure_in_epoch() -> Result<Self> {
        let buffer = Buffer::new()?;
        // SAFETY: The function does nothing.
        let call = || unsafe { xcap_empty_about(buffer.as_ptr()) };
        let told = Told {
            by: xcap_belonging_XCAP_OF_BUFFER,
            source: Source::Buffer,
            argument: 0,
            offset: 0,
        };
        let mut origin = super::bindings::xcap_origin::default();
        // SAFETY: The buffer is ours; there is room for what it belongs to.
        unsafe { xcap_own_origin(buffer.as_ptr(), &raw mut origin) };
        let scopes = [
            Scope {
                same: Same::Interface,
                subject: origin.namespace,
                interface: origin.interface,
                told,
            },
            Scope {
                same: Same::Process,
                // SAFETY: Reads what the current task keeps.
                subject: unsafe { xcap_own_process() } as u64,
                interface: 0,
                told,
            },
        ];
        let unprobed = batches(call, None)?;
        let mut costs = KVec::new();
        for backend in Backend::ALL {
            let hits = probed(
                backend,
                xcap_empty_about as *const (),
                None,
                Some(scopes[0]),
                |cells| {
                    let measure = |scope| {
                        // Nobody else calls the function.
                        cells.set_scope(Some(scope));
                        Ok::<_, Error>(cost(&batches(call, Some(cells))?, &unprobed))
                    };
                    let both = |scope: Scope| {
                        Ok::<_, Error>(ScopedCost {
                            within: measure(scope)?,
                            away: measure(Scope {
                                subject: !scope.subject,
                                ..scope
                            })?,
                        })
                    };
                    Ok([both(scopes[0])?, both(scopes[1])?])
                },
            );
            match hits {
                Ok(hits) => costs.push((backend, hits), GFP_KERNEL)?,
                Err(error) if error == ENOMEM => return Err(error),
                // That it can't be calibrated was said when xcap was loaded.
                Err(_) => {}
            }
        }
        Ok(Self(costs))
    }

    /// Those of one backend, of whose hits `plain` is what they cost without scope: a call is looked at
    /// before its sample begins.
    pub(crate) fn of(&self, backend: Backend, same: Same, plain: Cost) -> Option<ScopedCost> {
        let (_, [origin, process]) = self.0.iter().find(|(of, _)| *of == backend)?;
        let ScopedCost { within, away } = match same {
            Same::Interface | Same::Namespace => *origin,
            Same::Process => *process,
        };
        let with_inside = |cost, inside| Cost {
            inside,
            quartile: None,
            ..cost
        };
        Some(ScopedCost {
            within: with_inside(within, plain.inside),
            away: with_inside(away, 0),
        })
    }
}
