// SPDX-License-Identifier: GPL-2.0

//! What a machine is in the study.

use std::fmt;
use std::str::FromStr;

use clap::builder::PossibleValue;
use clap::ValueEnum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::run_id::Domain;

/// In JSON and on command lines: `sender`, `dom0`, `domU` or `bare`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub enum Role {
    Sender,
    Measured(Domain),
}

impl Role {
    pub const DOM0: Self = Self::Measured(Domain::Dom0);
    pub const DOMU: Self = Self::Measured(Domain::DomU);
    pub const BARE: Self = Self::Measured(Domain::Bare);
    pub const ALL: [Self; 4] = [Self::Sender, Self::DOM0, Self::DOMU, Self::BARE];

    pub fn name(self) -> &'static str {
        match self {
            Self::Sender => "sender",
            Self::Measured(domain) => domain.name(),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl From<Domain> for Role {
    fn from(domain: Domain) -> Self {
        Self::Measured(domain)
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = Self::ALL.into_iter().find(|role| role.name() == text);
        named.ok_or_else(|| format!("'{text}' is no role: sender, dom0, domU or bare"))
    }
}

impl TryFrom<String> for Role {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Role> for String {
    fn from(role: Role) -> Self {
        role.name().into()
    }
}

impl ValueEnum for Role {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        match self {
            Self::Sender => Some(PossibleValue::new(self.name())),
            Self::Measured(domain) => domain.to_possible_value(),
        }
    }
}
