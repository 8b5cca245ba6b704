// SPDX-License-Identifier: GPL-2.0

//! What a run was made on: environment.json.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
pub use xcap_journeys::unit::Unit;

use crate::format::FORMAT;
use crate::machine::Machine;
use crate::part::Parts;
use crate::role::Role;
use crate::run_id::RunId;

/// What the cycles of a run are cycles of.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum World {
    /// Instructions run by software: comparable among themselves only.
    Emulated,
    /// Virtual machines on real CPUs.
    Virtual,
    /// Real machines and a cable.
    Real,
}

/// What only the lab's host knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Emulator {
    pub qemu: String,
    pub accelerator: String,
    #[serde(default)]
    pub unit: Unit,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Testbed {
    pub format: u32,
    pub run: RunId,
    pub world: World,
    /// What the figures of its stages are counted in.
    #[serde(default)]
    pub unit: Unit,
    /// When it began, seconds since 1970.
    pub began: u64,
    /// None on real machines.
    pub lab: Option<Emulator>,
    pub machines: BTreeMap<Role, Machine>,
}

impl Testbed {
    pub fn of(run: RunId, parts: &Parts, lab: Option<Emulator>) -> Self {
        let machines: BTreeMap<Role, Machine> = parts
            .iter()
            .map(|(role, part)| (*role, part.machine.clone()))
            .collect();
        let world = if machines.values().any(Machine::is_emulated) {
            World::Emulated
        } else if lab.is_some() || machines.values().any(Machine::is_virtual) {
            World::Virtual
        } else {
            World::Real
        };
        Self {
            format: FORMAT,
            run,
            world,
            unit: lab.as_ref().map_or(Unit::Cycles, |lab| lab.unit),
            began: parts.values().map(|part| part.began).min().unwrap_or(0),
            lab,
            machines,
        }
    }
}
