// SPDX-License-Identifier: GPL-2.0

//! Draws what xcap measured, for `xcap-read`.

pub mod show;
