// SPDX-License-Identifier: GPL-2.0

//! The packages as people meet them, in what takes minutes: by `make try-packages`.

mod dkms;
mod machine;
mod secure_boot;
mod tree;
mod upgrade;
mod xen;
