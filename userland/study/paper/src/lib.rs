// SPDX-License-Identifier: GPL-2.0

//! The report of the paper's study, run again.

pub mod called;
pub mod cli;
pub mod compare;
pub mod data;
pub mod figure;
pub mod histogram;
pub mod journeys;
pub mod loads;
pub mod numbers;
pub mod own_cycles;
pub mod paper_figures;
pub mod peers;
pub mod repetitions;
pub mod report;
pub mod sending;
pub mod study;
pub mod tables;
pub mod ways;
