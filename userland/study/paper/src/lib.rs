// SPDX-License-Identifier: GPL-2.0

//! The paper's study, run again, and its report.

pub mod compare;
pub mod environment;
pub mod figure;
pub mod frames;
pub mod gather;
pub mod histogram;
pub mod layout;
pub mod load;
pub mod machine;
pub mod numbers;
pub mod paper_figures;
pub mod part;
pub mod record;
pub mod report;
pub mod run;
pub mod run_id;
pub mod scenario;
pub mod study;
pub mod tables;
