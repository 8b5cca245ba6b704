// SPDX-License-Identifier: GPL-2.0

//! The header line `# role`.

use super::words::words;

words! {
    /// What a kernel is to Xen.
    pub enum Role {
        /// No hypervisor that xcap knows.
        Bare = "bare",
        /// Xen's privileged domain.
        Dom0 = "dom0",
        /// A paravirtual guest.
        DomUPv = "domU-pv",
        /// A PVH guest.
        DomUPvh = "domU-pvh",
        /// An HVM guest.
        DomUHvm = "domU-hvm",
    }
}
