// SPDX-License-Identifier: GPL-2.0

//! `only`: which probes' calls have to be in scope, and how each is told whose they are.

use super::{
    bindings::*,
    btf::Types,
    errors, hook,
    life::Next,
    probe::Probe,
    registry::Registry,
    scope::{Same, Told},
    scoping_cost::ScopingCosts,
    source::Source,
    subject::{Scoped, Subject},
};
use crate::abi::stages::About;
use kernel::{
    prelude::*,
    str::{BStr, CStr, CString},
    sync::Arc,
};

/// Structures that an argument may point to, the most telling first, and what they are.
const TELLING: [(&CStr, xcap_belonging); 4] = [
    (c"net_device", xcap_belonging_XCAP_OF_DEVICE),
    (c"sk_buff", xcap_belonging_XCAP_OF_BUFFER),
    (c"napi_struct", xcap_belonging_XCAP_OF_NAPI),
    (c"xdp_buff", xcap_belonging_XCAP_OF_XDP),
];

/// Those that tell a namespace alone.
const TELLING_NAMESPACE: [(&CStr, xcap_belonging); 3] = [
    (c"sock", xcap_belonging_XCAP_OF_SOCK),
    (c"socket", xcap_belonging_XCAP_OF_SOCKET),
    (c"net", xcap_belonging_XCAP_OF_NAMESPACE),
];

/// How a probe's calls tell whose they are; none: they don't.
///
/// # Errors
///
/// None but `ENOMEM`.
fn told(same: Same, probe: &Probe, types: &mut Types) -> Result<Option<Told>> {
    let plain = Told {
        by: xcap_belonging_XCAP_OF_BUFFER,
        source: Source::None,
        argument: 0,
        offset: 0,
    };
    let Some(function) = &probe.function else {
        return Ok(None);
    };
    let module = probe.module();
    if same == Same::Process {
        // In an interrupt, the task is whoever was interrupted.
        return Ok(probe.may_sleep().then_some(plain));
    }
    if let Some(About::Queue {
        argument,
        structure,
        member,
    }) = probe.about()
    {
        let offset = types.offset(structure, member, module)?;
        return Ok(offset.map(|offset| Told {
            source: Source::Queue,
            argument,
            offset,
            ..plain
        }));
    }
    let also: &[_] = match same {
        Same::Namespace => &TELLING_NAMESPACE,
        _ => &[],
    };
    // Named, as `pin_init` has a method of this name for everything.
    for &(structure, by) in Iterator::chain(TELLING.iter(), also) {
        let source = match types.argument(&function.name, module, structure)? {
            Some((argument, 1)) => Some((argument, Source::Buffer)),
            Some((argument, 2)) if by == plain.by => Some((argument, Source::BufferPointer)),
            _ => None,
        };
        if let Some((argument, source)) = source {
            return Ok(Some(Told {
                by,
                source,
                argument,
                ..plain
            }));
        }
    }
    Ok(None)
}

/// Says which probe can't tell.
fn refuse(probe: &Probe, same: Same) {
    let function = probe.function.as_ref().map_or(c"-", |found| &found.name);
    let (name, function) = (
        BStr::from_bytes(probe.name.to_bytes()),
        BStr::from_bytes(function.to_bytes()),
    );
    match same {
        Same::Process => {
            pr_err!("only: {name} ({function}) runs in interrupts, which no process causes\n")
        }
        Same::Interface => {
            pr_err!("only: no argument of {name} ({function}) leads to an interface\n")
        }
        Same::Namespace => {
            pr_err!("only: no argument of {name} ({function}) leads to a network namespace\n")
        }
    }
}

/// What becomes of each probe whose scope is to change, by its number among all.
pub(crate) type Changes = KVec<(usize, Option<Scoped>)>;

/// What `only` changes, of the probes with these names, or of all that can tell if there are none.
///
/// # Errors
///
/// `ENOENT`: no such probe. `EOPNOTSUPP`: one of these can't tell.
pub(crate) fn changes(
    registry: &Registry,
    subject: Option<&Arc<Subject>>,
    names: &[CString],
    types: &mut Types,
) -> Result<Changes> {
    for name in names {
        if !registry.probes.iter().any(|probe| *probe.name == **name) {
            pr_err!("only: no probe is called {:?}\n", &**name);
            return Err(ENOENT);
        }
    }
    let mut changes = KVec::new();
    for (index, probe) in registry.probes.iter().enumerate() {
        let named = names.iter().any(|name| **name == *probe.name);
        if !(named || names.is_empty()) || probe.is_leaving() {
            continue;
        }
        let Some(subject) = subject else {
            if probe.scoped.is_some() {
                changes.push((index, None), GFP_KERNEL)?;
            }
            continue;
        };
        // One of a stage's functions that this kernel has not.
        if !probe.is_found() {
            continue;
        }
        match told(subject.same, probe, types)? {
            Some(told) => {
                let subject = subject.clone();
                changes.push((index, Some(Scoped { subject, told })), GFP_KERNEL)?;
            }
            None if named => {
                refuse(probe, subject.same);
                return Err(errors::unsupported());
            }
            // A scope of before, which it could tell, isn't kept beside that of the others.
            None if probe.scoped.is_some() => changes.push((index, None), GFP_KERNEL)?,
            None => {}
        }
    }
    if changes.is_empty() && subject.is_some() {
        return Err(errors::unsupported());
    }
    Ok(changes)
}

/// Changes scopes, and begins those probes' figures anew. Nothing is armed.
pub(crate) fn change(registry: &mut Registry, changes: Changes, costs: Option<ScopingCosts>) {
    if costs.is_some() {
        registry.context.scoping_costs = costs;
    }
    let mut draining = false;
    for (index, scoped) in changes {
        if let Some(probe) = registry.probes.get_mut(index) {
            probe.scoped = scoped;
            probe.reset();
            draining |= probe.drain(Next::Renew);
        }
    }
    if draining {
        hook::synchronize();
    }
}
