//! The lab: a Xen host, a capturing guest and a sender as virtual machines, from Debian's packages.

pub mod apt;
pub mod cache;
pub mod config;
pub mod guest;
pub mod guest_image;
pub mod hops;
pub mod image;
pub mod kbuild;
pub mod kernel;
mod kmods;
pub mod lab;
mod link;
pub mod logs;
pub mod machine;
pub mod materials;
pub mod module;
pub mod patched;
pub mod plugin;
pub mod progress;
pub mod root;
pub mod run;
pub mod scenario;
mod spawner;

pub use config::{Config, Where};
pub use guest::{Guest, Output, Running};
pub use lab::Lab;
pub use materials::Materials;
