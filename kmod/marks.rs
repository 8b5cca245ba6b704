// SPDX-License-Identifier: GPL-2.0

//! `marks on` and `marks off`: which probes' calls leave marks, and how each is told its frame.

use super::{
    btf::Types,
    cpu,
    life::Next,
    mark_rings::{self, Rings},
    marking::Marking,
    marking_cost::MarkingCosts,
    probe::Probe,
    registry::Registry,
    source::Source,
};
use crate::abi::{
    mark::{self, Header, Mark},
    stages::About,
};
use kernel::{prelude::*, str::CStr, sync::Arc};

/// What `marks on` asks for.
#[derive(Clone, Copy)]
pub(crate) struct Wanted {
    /// Marks that a CPU's ring holds.
    pub(crate) size: usize,
    /// One frame of so many leaves marks.
    pub(crate) every: u64,
}

impl Wanted {
    const LEAST: usize = 64;
    const MOST: usize = 1 << 20;

    /// Unless told.
    pub(crate) const DEFAULT: Self = Self {
        size: 1 << 16,
        every: 1,
    };

    /// Powers of two, so that no hit has to divide.
    pub(crate) fn is_possible(self) -> bool {
        self.size.is_power_of_two()
            && (Self::LEAST..=Self::MOST).contains(&self.size)
            && self.every.is_power_of_two()
    }
}

/// Whose arguments may be of which frame.
const BUFFER: &CStr = c"sk_buff";

/// How calls leave marks that are about such frames, at place number `place`; none: they don't.
///
/// # Errors
///
/// None but `ENOMEM`.
fn marking(about: About, probe: &Probe, place: u16, types: &mut Types) -> Result<Option<Marking>> {
    let plain = Marking {
        place,
        source: Source::None,
        argument: 0,
        offset: 0,
    };
    let of = |source, argument| {
        Some(Marking {
            source,
            argument,
            ..plain
        })
    };
    Ok(match about {
        About::None => None,
        About::Several => Some(plain),
        About::Buffer(argument) => of(Source::Buffer, argument),
        About::BufferPointer(argument) => of(Source::BufferPointer, argument),
        About::Queue {
            argument,
            structure,
            member,
        } => {
            let module = probe.module();
            let offset = types.offset(structure, member, module)?;
            if offset.is_none() && probe.function.is_some() {
                pr_warn!(
                    "{:?} leaves no marks: the kernel shows no types of {:?}\n",
                    &*probe.name,
                    module.unwrap_or(c"vmlinux")
                );
            }
            offset.map(|offset| Marking {
                source: Source::Queue,
                argument,
                offset,
                ..plain
            })
        }
    })
}

/// Of a function that somebody added: by its first argument that is a socket buffer.
fn marking_of_added(probe: &Probe, place: u16, types: &mut Types) -> Result<Option<Marking>> {
    let Some(function) = &probe.function else {
        return Ok(None);
    };
    let argument = types.argument(&function.name, function.module.as_deref(), BUFFER)?;
    let about = match argument {
        Some((argument, 1)) => About::Buffer(argument),
        Some((argument, 2)) => About::BufferPointer(argument),
        _ => About::None,
    };
    marking(about, probe, place, types)
}

fn push(bytes: &mut KVec<u8>, more: &[u8]) -> Result {
    Ok(bytes.extend_from_slice(more, GFP_KERNEL)?)
}

/// What the stream of marks at these places begins with.
fn header(registry: &Registry, wanted: Wanted, names: &[u8]) -> Result<KVec<u8>> {
    let header = Header {
        magic: mark::MAGIC,
        version: mark::VERSION,
        header_size: (Header::SIZE + names.len()) as u32,
        mark_size: Mark::SIZE as u32,
        places: (names.len() / mark::NAME_SIZE) as u32,
        role: mark::padded(registry.context.role.word().as_bytes()),
        tsc_khz: registry.clock.khz,
        every: wanted.every,
        cpus: cpu::possible().last().map_or(0, |cpu| cpu + 1),
        ring: wanted.size as u32,
    };
    let mut bytes = KVec::new();
    push(&mut bytes, &header.to_bytes())?;
    push(&mut bytes, names)?;
    Ok(bytes)
}

/// No marks are left any more. Those that wait can be read. Nothing is armed.
pub(crate) fn off(registry: &mut Registry) {
    registry.drain(Next::Renew, Probe::leaves_marks);
    for probe in registry.probes.iter_mut() {
        probe.marking = None;
    }
    registry.context.marking_costs = None;
    mark_rings::deactivate();
}

/// Has all probes there are leave marks, those that can. Nothing is armed, and marks are off.
pub(crate) fn on(registry: &mut Registry, wanted: Wanted, costs: MarkingCosts) -> Result {
    let mut types = Types::default();
    let mut names = KVec::new();
    let mut markings = KVec::new();
    for probe in &registry.probes {
        let place = (names.len() / mark::NAME_SIZE) as u16;
        let marking = match probe.about() {
            // One of a stage's functions that this kernel has not.
            _ if !probe.is_found() => None,
            Some(about) => marking(about, probe, place, &mut types)?,
            None => marking_of_added(probe, place, &mut types)?,
        };
        markings.push(marking, GFP_KERNEL)?;
        if marking.is_some() {
            let name: [u8; mark::NAME_SIZE] = mark::padded(probe.name.to_bytes());
            push(&mut names, &name)?;
        }
    }
    let header = header(registry, wanted, &names)?;
    let rings = Arc::new(Rings::new(wanted.size, header)?, GFP_KERNEL)?;
    for (probe, marking) in registry.probes.iter_mut().zip(&markings) {
        probe.marking = *marking;
    }
    registry.drain(Next::Renew, Probe::leaves_marks);
    registry.context.marking_costs = Some(costs);
    rings.activate(wanted.every);
    registry.rings = Some(rings);
    Ok(())
}
