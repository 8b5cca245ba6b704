// SPDX-License-Identifier: GPL-2.0

//! Makes runs: in the lab, or on machines that commands reach.

mod block;
mod in_labs;
mod knee;
pub mod lab;
pub mod overhead;
mod overhead_rows;
mod plan;
mod progress;
pub mod reached;
pub mod recording;
pub mod rivals;
pub mod sending;
mod session;
mod study;
pub mod sweep;
pub mod transmit;
mod trial;
pub mod ways;
pub mod wire;

pub use block::run_block;
pub use in_labs::Made;
pub use knee::Knee;
pub use plan::{Block, Plan};
pub use progress::Progress;
pub use session::{perform, perform_marked};
pub use study::run_missing;
