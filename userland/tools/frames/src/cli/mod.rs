// SPDX-License-Identifier: GPL-2.0

//! The programs' command lines.

pub mod recv;
pub mod send;
