// SPDX-License-Identifier: GPL-2.0

//! What the kernel is to Xen, as the module finds it too.

use xcap_abi::role::Role;

use crate::host::Host;

/// Xen's privileged domain has this bit among its features (`XENFEAT_dom0`).
const DOM0: u32 = 1 << 11;

pub fn role(host: &Host) -> Role {
    if host.text("/sys/hypervisor/type").as_deref() != Some("xen") {
        return Role::Bare;
    }
    let features = host
        .text("/sys/hypervisor/properties/features")
        .unwrap_or_default();
    let is_dom0 = u32::from_str_radix(features.trim_start_matches("0x"), 16)
        .is_ok_and(|bits| bits & DOM0 != 0);
    let controls = host
        .text("/proc/xen/capabilities")
        .is_some_and(|text| text.contains("control_d"));
    if is_dom0 || controls {
        return Role::Dom0;
    }
    match host.text("/sys/hypervisor/guest_type").as_deref() {
        Some("PV") => Role::DomUPv,
        Some("PVH") => Role::DomUPvh,
        _ => Role::DomUHvm,
    }
}
