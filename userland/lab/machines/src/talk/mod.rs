// SPDX-License-Identifier: GPL-2.0

//! Commands in guests, by the agent in each.

pub mod guest;
pub(crate) mod link;
pub mod output;
pub mod running;
