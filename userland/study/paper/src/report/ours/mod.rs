// SPDX-License-Identifier: GPL-2.0

//! Figures that the paper hasn't, one a file.

mod budget;
mod cost_model;
mod distribution;
mod driver;
mod executed;
mod loads;
mod losses;
mod native;
mod per_frame;
mod self_time;

pub use budget::budget;
pub use cost_model::cost_model;
pub use distribution::distribution;
pub use driver::driver;
pub use executed::executed;
pub use loads::{measuring, sweep};
pub use losses::losses;
pub use native::beside_xen;
pub use per_frame::per_frame;
pub use self_time::self_time;
