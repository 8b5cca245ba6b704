// SPDX-License-Identifier: GPL-2.0

//! Which run of the study a figure is from.

use std::fmt;
use std::str::FromStr;

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::scenario::Scenario;

/// What the capturing program runs on.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    ValueEnum,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Environment {
    /// A paravirtual guest, as in the paper
    XenPv,
    /// A guest with hardware's help, without emulated devices
    XenPvh,
    /// A fully virtual guest; on machines of your own
    XenHvm,
    /// The same kernel without Xen
    Native,
}

impl Environment {
    pub const ALL: [Self; 4] = [Self::XenPv, Self::XenPvh, Self::XenHvm, Self::Native];

    pub fn name(self) -> &'static str {
        match self {
            Self::XenPv => "xen-pv",
            Self::XenPvh => "xen-pvh",
            Self::XenHvm => "xen-hvm",
            Self::Native => "native",
        }
    }

    /// As a report's reader would say it.
    pub fn label(self) -> &'static str {
        match self {
            Self::XenPv => "Xen PV",
            Self::XenPvh => "Xen PVH",
            Self::XenHvm => "Xen HVM",
            Self::Native => "native",
        }
    }

    pub fn is_xen(self) -> bool {
        self != Self::Native
    }

    /// The machines that take part, the sender left out.
    pub fn domains(self) -> &'static [Domain] {
        match self {
            Self::Native => &[Domain::Bare],
            _ => &[Domain::Dom0, Domain::DomU],
        }
    }
}

/// A machine whose kernel is measured.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    ValueEnum,
    Serialize,
    Deserialize,
    JsonSchema,
)]
pub enum Domain {
    /// Xen's privileged domain
    #[value(name = "dom0")]
    #[serde(rename = "dom0")]
    Dom0,
    /// The capturing guest
    #[value(name = "domU", alias = "domu")]
    #[serde(rename = "domU")]
    DomU,
    /// Linux without Xen
    #[value(name = "bare")]
    #[serde(rename = "bare")]
    Bare,
}

impl Domain {
    pub fn name(self) -> &'static str {
        match self {
            Self::Dom0 => "dom0",
            Self::DomU => "domU",
            Self::Bare => "bare",
        }
    }

    /// Whether the module's word for its role fits.
    pub fn fits(self, role: &str) -> bool {
        match self {
            Self::DomU => role.starts_with("domU"),
            _ => role == self.name(),
        }
    }

    /// Whether the capturing program runs here.
    pub fn captures(self) -> bool {
        self != Self::Dom0
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How much room the capturing socket has.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    ValueEnum,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Buffer {
    /// As the system gives it, as in the paper
    System,
    /// Enough for all frames of a run
    Large,
}

impl Buffer {
    pub const ALL: [Self; 2] = [Self::System, Self::Large];

    pub fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Large => "large",
        }
    }

    /// What `xcap-recv --buffer` is told.
    pub fn bytes(self) -> Option<u32> {
        match self {
            Self::System => None,
            Self::Large => Some(64 << 20),
        }
    }
}

impl fmt::Display for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One run: its place among a study's results is `<environment>/<scenario>/<buffer>-<repetition>`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct RunId {
    pub environment: Environment,
    pub scenario: Scenario,
    pub buffer: Buffer,
    pub repetition: u32,
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self {
            environment,
            scenario,
            buffer,
            repetition,
        } = self;
        write!(
            f,
            "{}/{scenario}/{buffer}-{repetition:02}",
            environment.name()
        )
    }
}

impl FromStr for RunId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = (|| {
            let (environment, rest) = text.split_once('/')?;
            let (scenario, rest) = rest.split_once('/')?;
            let (buffer, repetition) = rest.split_once('-')?;
            Some(Self {
                environment: Environment::ALL
                    .into_iter()
                    .find(|known| known.name() == environment)?,
                scenario: scenario.parse().ok()?,
                buffer: Buffer::ALL
                    .into_iter()
                    .find(|known| known.name() == buffer)?,
                repetition: repetition.parse().ok()?,
            })
        })();
        parsed.ok_or_else(|| format!("'{text}' names no run"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::W1S1500;

    #[test]
    fn a_run_is_known_by_its_place() {
        let run = RunId {
            environment: Environment::XenPvh,
            scenario: W1S1500,
            buffer: Buffer::Large,
            repetition: 7,
        };
        assert_eq!(run.to_string(), "xen-pvh/w1s1500/large-07");
        assert_eq!(run.to_string().parse(), Ok(run));
        for wrong in [
            "",
            "xen-pv/w0s0064",
            "xen/w0s0064/large-01",
            "xen-pv/w0s0064/large",
        ] {
            assert!(wrong.parse::<RunId>().is_err(), "{wrong}");
        }
    }
}
