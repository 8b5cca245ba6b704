// SPDX-License-Identifier: GPL-2.0

//! What `kernel::bindings` lacks, from kmod/bindings.h.

#![expect(
    non_camel_case_types,
    non_snake_case,
    unreachable_pub,
    reason = "made by bindgen"
)]
#![allow(
    clippy::all,
    dead_code,
    unused_imports,
    non_upper_case_globals,
    unknown_lints,
    unnecessary_transmutes,
    improper_ctypes,
    unsafe_op_in_unsafe_fn,
    clippy::undocumented_unsafe_blocks,
    clippy::pedantic,
    reason = "made by bindgen, which differs by version"
)]

use kernel::bindings::*;

include!("bindings_generated.rs");
