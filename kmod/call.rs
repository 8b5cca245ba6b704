// SPDX-License-Identifier: GPL-2.0

//! What travels with a call where the kernel keeps it.

use super::{cell::Frame, marking::Identity};

/// What the handlers of kretprobe and fprobe keep with a call.
#[repr(C)]
pub(crate) struct Call {
    pub(crate) frame: Frame,
    /// The argument that is work.
    pub(crate) argument: u64,
    /// Which arming of the hook the call belongs to.
    pub(crate) arming: u64,
}

/// What is kept where calls leave marks.
#[repr(C)]
pub(crate) struct MarkedCall {
    pub(crate) call: Call,
    pub(crate) identity: Identity,
}
