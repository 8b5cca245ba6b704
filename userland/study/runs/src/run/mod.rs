// SPDX-License-Identifier: GPL-2.0

//! Makes runs: in the lab, or on machines that commands reach.

mod block;
pub mod lab;
mod plan;
mod progress;
pub mod reached;
pub mod recording;
mod session;
mod study;
pub mod wire;

pub use block::run_block;
pub use plan::{Block, Plan};
pub use progress::Progress;
pub use session::perform;
pub use study::run_missing;
