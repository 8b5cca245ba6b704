// SPDX-License-Identifier: GPL-2.0

//! Draws and exports what xcap measured, for `xcap-read`.

pub mod cli;
pub mod live;
pub mod marks;
pub mod metrics;
pub mod seconds;
pub mod show;
