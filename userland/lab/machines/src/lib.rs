// SPDX-License-Identifier: GPL-2.0

//! The lab: a Xen host, a capturing guest and a sender as virtual machines, from Debian's packages.
//!
//! In this order, of which each uses what comes before: [`config`] says which machines there are, [`provide`] fetches
//! roots and kernels, [`build`] builds modules, [`materials`] is all of it, [`package`] makes packages, [`image`] makes
//! guests' images, [`talk`] runs commands in guests, [`boot`] starts the machines.

pub mod boot;
pub mod build;
pub mod cache;
pub mod config;
pub mod files;
pub mod image;
pub mod materials;
pub mod package;
pub mod place;
pub mod progress;
pub mod provide;
pub mod run;
pub mod talk;

pub use boot::lab::Lab;
pub use config::Config;
pub use materials::Materials;
pub use place::Place;
pub use talk::guest::Guest;
pub use talk::output::Output;
pub use talk::running::Running;
