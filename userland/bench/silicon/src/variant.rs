// SPDX-License-Identifier: GPL-2.0

//! What can be installed at a function: the module's variants, and other mechanisms' shapes.

use crate::cpu::{set_slot, Costs, Cpu};
use crate::layout::CELLS;
use crate::site::{Entry, Patch, SIZE};
use crate::unit::Unit;
use anyhow::Result;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// Two clock readings in the function's place.
    Floor,
    /// The module's: the function's entry jumps to a slot, which calls the function's rest.
    Jump,
    /// The same where the entry calls: kernels without CONFIG_DYNAMIC_FTRACE_WITH_JMP.
    Call,
    /// The same where livepatch may change where the function goes on.
    CallShared,
    ShapeBpfFexitJump,
    ShapeBpfFexitCall,
    /// ftrace's function graph, and fprobe on top of it.
    ShapeReturnToHandler,
    /// kretprobe.
    ShapeRethook,
}

impl Variant {
    pub const ALL: [Self; 8] = [
        Self::Floor,
        Self::Jump,
        Self::Call,
        Self::CallShared,
        Self::ShapeBpfFexitJump,
        Self::ShapeBpfFexitCall,
        Self::ShapeReturnToHandler,
        Self::ShapeRethook,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Jump => "jump",
            Self::Call => "call",
            Self::CallShared => "call-shared",
            Self::ShapeBpfFexitJump => "shape-bpf-fexit-jump",
            Self::ShapeBpfFexitCall => "shape-bpf-fexit-call",
            Self::ShapeReturnToHandler => "shape-return-to-handler",
            Self::ShapeRethook => "shape-rethook",
        }
    }

    /// Those that the module installs.
    pub fn ours() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|one| one.is_ours())
    }

    fn is_ours(self) -> bool {
        matches!(self, Self::Jump | Self::Call | Self::CallShared)
    }

    fn entry(self) -> Entry {
        match self {
            Self::Floor | Self::Jump | Self::ShapeBpfFexitJump => Entry::Jump,
            _ => Entry::Call,
        }
    }

    /// Installs it at the empty function. Nothing runs there.
    pub fn install(self, unit: &Unit) -> Result<Vec<Patch>> {
        let site = unit.leaves[0];
        let target = match self {
            Self::Jump | Self::Call | Self::CallShared => return self.probe(unit, site, 0),
            Self::Floor => unit.floor,
            Self::ShapeBpfFexitCall => unit.bpf_fexit_call,
            Self::ShapeBpfFexitJump => unit.bpf_fexit_jump,
            Self::ShapeReturnToHandler => unit.fgraph,
            Self::ShapeRethook => unit.rethook,
        };
        // SAFETY: A site of this unit's, and a trampoline written for it.
        Ok(vec![unsafe { Patch::new(site, self.entry(), target) }?])
    }

    /// Installs one of the module's at `site`, in slot `slot`, as kmod/direct.rs does.
    pub fn probe(self, unit: &Unit, site: *const u8, slot: usize) -> Result<Vec<Patch>> {
        set_slot(slot);
        let rest = match self {
            Self::CallShared => unit.shared,
            _ => site.wrapping_add(SIZE),
        };
        let back = match self.entry() {
            Entry::Jump => unit.back,
            Entry::Call => unit.called_back,
        };
        // SAFETY: The slot asks for no more than being entered from a function's entry, and for
        // something to call that goes on with the function.
        unsafe {
            Ok(vec![
                Patch::new(unit.slot_call(slot), Entry::Call, rest)?,
                Patch::new(unit.slot_back(slot), Entry::Jump, back)?,
                Patch::new(site, self.entry(), unit.slot(slot))?,
            ])
        }
    }

    /// Makes a CPU's memory what a newly armed probe finds.
    pub fn ready(self, cpu: &mut Cpu) {
        cpu.reset();
        for slot in 0..CELLS {
            cpu.set_constants(slot, Costs::default());
        }
    }

    /// Calls that it counted since then; none if it counts nothing.
    pub fn counted(self, cpu: &Cpu) -> Option<u64> {
        match self {
            Self::Floor => None,
            Self::Jump | Self::Call | Self::CallShared => {
                let reading = cpu.read(0);
                Some(reading.done.min(reading.entries))
            }
            _ => Some(cpu.read_shape().0),
        }
    }
}
