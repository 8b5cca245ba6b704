// SPDX-License-Identifier: GPL-2.0

//! Where everything comes from: packages, roots, kernels.

pub mod apt;
pub mod deb822;
pub mod disk;
pub mod flavour;
pub mod kernel;
pub mod lacks;
pub mod patched;
pub mod root;
pub mod tree;
