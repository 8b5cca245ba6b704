// SPDX-License-Identifier: GPL-2.0

//! The paper's study, run again, and its report.

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
