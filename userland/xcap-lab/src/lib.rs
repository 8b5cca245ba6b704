//! The lab: a Xen host, a capturing guest and a sender as virtual machines, from Debian's packages.

pub mod apt;
pub mod cache;
pub mod kernel;
pub mod module;
pub mod progress;
pub mod root;
pub mod run;
