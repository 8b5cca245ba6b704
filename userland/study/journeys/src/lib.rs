// SPDX-License-Identifier: GPL-2.0

//! Journeys of frames: the marks of all domains, joined by the frames' numbers.
//!
//! A [`recording`] is what one domain marked. Its [`calls`] tell what held what; [`clock`] brings
//! the domains to one time; [`join`] puts together what is of one frame, and [`timeline`] cuts its
//! time into services and waits, which add up to it exactly. [`analysis`] is all of that, and
//! [`summary`], [`rows`] and [`trace`] are what is told of it; [`socket`] holds it against the kernel's own count.

pub mod analysis;
pub mod calls;
pub mod clock;
pub mod distribution;
pub mod join;
pub mod lanes;
pub mod look;
pub mod path;
pub mod queue;
pub mod recording;
pub mod rows;
pub mod socket;
pub mod summary;
pub mod timeline;
pub mod told;
pub mod trace;
pub mod unit;
