// SPDX-License-Identifier: GPL-2.0

//! Runs of the paper's experiment: made, kept and read back.

pub mod environment;
pub mod frames;
pub mod gather;
pub mod layout;
pub mod load;
pub mod machine;
pub mod part;
pub mod record;
pub mod run;
pub mod run_id;
pub mod scenario;
