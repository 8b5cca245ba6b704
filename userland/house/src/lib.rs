// SPDX-License-Identifier: GPL-2.0

//! What the checks in `tests/` know of the source tree: its crates, their modules, and which file
//! uses which.

pub mod circles;
pub mod crates;
pub mod literals;
pub mod modules;
pub mod paths;
mod test_only;
