// SPDX-License-Identifier: GPL-2.0

//! The lab: a Xen host, a capturing guest and a sender as virtual machines, from Debian's packages.
//!
//! [`provide`] fetches and makes the roots and kernels, [`build`] builds modules and guests' images,
//! [`boot`] starts the machines, [`talk`] runs commands in them.

pub mod boot;
pub mod build;
pub mod cache;
pub mod materials;
pub mod place;
pub mod progress;
pub mod provide;
pub mod run;
pub mod talk;

pub use boot::config::Config;
pub use boot::lab::Lab;
pub use materials::Materials;
pub use place::Place;
pub use talk::guest::{Guest, Output, Running};
