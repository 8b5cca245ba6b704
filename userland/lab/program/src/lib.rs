// SPDX-License-Identifier: GPL-2.0

//! What `xcap-lab` can be told: its manual is made of it.

pub mod cli;
