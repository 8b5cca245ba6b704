// SPDX-License-Identifier: GPL-2.0

//! What can be installed at a function: the module's variants, and other mechanisms' shapes.

use crate::cpu::{set_slot, Costs, Cpu};
use crate::site::{Entry, Patch};
use crate::unit::*;
use anyhow::Result;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Variant {
    /// The module's: ftrace's site calls the slot.
    Call,
    /// Two clock readings in the function's place.
    Floor,
    ShapeBpfFexitCall,
    ShapeBpfFexitJump,
    /// ftrace's function graph, and fprobe on top of it.
    ShapeReturnToHandler,
    /// kretprobe.
    ShapeRethook,
}

impl Variant {
    pub const ALL: [Self; 6] = [
        Self::Floor,
        Self::Call,
        Self::ShapeBpfFexitJump,
        Self::ShapeBpfFexitCall,
        Self::ShapeReturnToHandler,
        Self::ShapeRethook,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Floor => "floor",
            Self::ShapeBpfFexitCall => "shape-bpf-fexit-call",
            Self::ShapeBpfFexitJump => "shape-bpf-fexit-jump",
            Self::ShapeReturnToHandler => "shape-return-to-handler",
            Self::ShapeRethook => "shape-rethook",
        }
    }

    /// One that the module installs.
    pub fn is_ours(self) -> bool {
        matches!(self, Self::Call)
    }

    fn entry(self) -> Entry {
        match self {
            Self::Floor | Self::ShapeBpfFexitJump => Entry::Jump,
            _ => Entry::Call,
        }
    }

    /// Installs it at the empty function.
    pub fn install(self, unit: &Unit, cpu: &mut Cpu) -> Result<Vec<Patch>> {
        let site = unit.leaves[0];
        let target = match self {
            Self::Call => return self.probe(unit, site, 0, cpu, Costs::default()),
            Self::Floor => unit.floor,
            Self::ShapeBpfFexitCall => unit.bpf_fexit_call,
            Self::ShapeBpfFexitJump => unit.bpf_fexit_jump,
            Self::ShapeReturnToHandler => unit.fgraph,
            Self::ShapeRethook => unit.rethook,
        };
        cpu.reset();
        // SAFETY: A site of this unit's, and a trampoline written for it; this thread is here.
        Ok(vec![unsafe { Patch::new(site, self.entry(), target) }?])
    }

    /// Installs one of the module's at `site`, in slot `slot`.
    pub fn probe(
        self,
        unit: &Unit,
        site: *const u8,
        slot: usize,
        cpu: &mut Cpu,
        costs: Costs,
    ) -> Result<Vec<Patch>> {
        set_slot(slot);
        cpu.reset();
        cpu.set_constants(slot, unit.returns, costs);
        let trampoline = unit.slots.wrapping_add(slot * XCAP_DIRECT_SLOT_SIZE);
        // SAFETY: A site of this unit's, and the slot, which asks for no more than being called
        // from a function's entry; this thread is here.
        Ok(vec![unsafe {
            Patch::new(site, self.entry(), trampoline)
        }?])
    }

    /// Calls that it counted.
    pub fn counted(self, cpu: &Cpu) -> Option<u64> {
        match self {
            Self::Floor => None,
            ours if ours.is_ours() => {
                let reading = cpu.read(0);
                Some(reading.done.min(reading.entries))
            }
            _ => Some(cpu.read_shape().0),
        }
    }
}
