// SPDX-License-Identifier: GPL-2.0

//! What this kernel is to Xen.

use super::bindings;
use crate::abi::format::role;

/// The kernel's role.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Role {
    Bare,
    Dom0,
    DomUPv,
    DomUPvh,
    DomUHvm,
}

impl Role {
    /// This kernel's role.
    pub(crate) fn current() -> Self {
        // SAFETY: Reads variables that are fixed after boot.
        match unsafe { bindings::xcap_role() } {
            bindings::xcap_role_XCAP_ROLE_DOM0 => Role::Dom0,
            bindings::xcap_role_XCAP_ROLE_DOMU_PV => Role::DomUPv,
            bindings::xcap_role_XCAP_ROLE_DOMU_PVH => Role::DomUPvh,
            bindings::xcap_role_XCAP_ROLE_DOMU_HVM => Role::DomUHvm,
            _ => Role::Bare,
        }
    }

    /// Its word in the `stats` header.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Role::Bare => role::BARE,
            Role::Dom0 => role::DOM0,
            Role::DomUPv => role::DOMU_PV,
            Role::DomUPvh => role::DOMU_PVH,
            Role::DomUHvm => role::DOMU_HVM,
        }
    }
}
