// SPDX-License-Identifier: GPL-2.0

//! How the memory lies that the hot path writes to (kmod/cell.h), and what build.rs assembled.

#![expect(dead_code, reason = "kmod/cell.h says more than is read here")]

include!(concat!(env!("OUT_DIR"), "/layout.rs"));
