// SPDX-License-Identifier: GPL-2.0

//! What the kernel forbids root.

use crate::host::Host;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lockdown {
    None,
    /// Nobody changes the running kernel: modules have to be signed, debugfs is not written to.
    Integrity,
    /// Nor does anybody read what it knows; debugfs files that can only be read are let be.
    Confidentiality,
}

impl Lockdown {
    /// As the kernel has it.
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Integrity => "integrity",
            Self::Confidentiality => "confidentiality",
        }
    }

    pub fn of(host: &Host) -> Self {
        // The one in brackets is in force.
        let said = host
            .text("/sys/kernel/security/lockdown")
            .unwrap_or_default();
        if said.contains("[confidentiality]") {
            Self::Confidentiality
        } else if said.contains("[integrity]") {
            Self::Integrity
        } else {
            Self::None
        }
    }
}

/// Whether modules without a signature are refused.
pub fn wants_signatures(host: &Host) -> bool {
    let enforced = host.text("/sys/module/module/parameters/sig_enforce");
    enforced.as_deref() == Some("Y") || Lockdown::of(host) >= Lockdown::Integrity
}
