// SPDX-License-Identifier: GPL-2.0

//! What trials in `tests/` share.

pub mod capture;
pub mod debian;
