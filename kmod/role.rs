// SPDX-License-Identifier: GPL-2.0

//! What this kernel is to Xen.

use super::bindings;
use crate::abi::role::Role;

/// This kernel's role.
pub(crate) fn current() -> Role {
    // SAFETY: Reads variables that are fixed after boot.
    match unsafe { bindings::xcap_role() } {
        bindings::xcap_role_XCAP_ROLE_DOM0 => Role::Dom0,
        bindings::xcap_role_XCAP_ROLE_DOMU_PV => Role::DomUPv,
        bindings::xcap_role_XCAP_ROLE_DOMU_PVH => Role::DomUPvh,
        bindings::xcap_role_XCAP_ROLE_DOMU_HVM => Role::DomUHvm,
        _ => Role::Bare,
    }
}
