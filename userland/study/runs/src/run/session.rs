// SPDX-License-Identifier: GPL-2.0

//! One run.

use std::collections::BTreeMap;

use anyhow::{bail, Context, Result};
use serde::de::DeserializeOwned;

use super::recording::{Machines, Recording};
use crate::marked::{MarkedPart, MarkedParts};
use crate::part::{Part, Parts, Task};
use crate::role::Role;

/// Makes one run: every machine that is measured records while the sender sends.
pub fn perform(machines: &dyn Machines, task: Task) -> Result<Parts> {
    all(
        machines,
        task,
        |role| machines.record(role, task),
        |part: &Part| part,
    )
}

/// Makes one run of numbered frames that leave marks.
pub fn perform_marked(machines: &dyn Machines, task: Task) -> Result<MarkedParts> {
    let record = |role| machines.record_marks(role, task);
    all(machines, task, record, |marked: &MarkedPart| &marked.part)
}

fn all<T: DeserializeOwned + From<Part>>(
    machines: &dyn Machines,
    task: Task,
    record: impl Fn(Role) -> Result<Box<dyn Recording>>,
    part: impl Fn(&T) -> &Part,
) -> Result<BTreeMap<Role, T>> {
    let mut measured = Vec::new();
    for role in machines.roles() {
        measured.push((role, record(role).context(role)?));
    }
    for (role, recording) in &mut measured {
        recording.begun().context(*role)?;
    }
    let sender = record(Role::Sender)?.part().context(Role::Sender)?;
    let sender: Part = parse(&sender, task, |part| part)?;
    let mut parts = BTreeMap::from([(Role::Sender, T::from(sender))]);
    for (role, recording) in &mut measured {
        recording.over().context(*role)?;
    }
    for (role, recording) in measured {
        let recorded = parse(&recording.part().context(role)?, task, &part).context(role)?;
        parts.insert(role, recorded);
    }
    Ok(parts)
}

fn parse<T: DeserializeOwned>(json: &[u8], task: Task, part: impl Fn(&T) -> &Part) -> Result<T> {
    let parsed = serde_json::from_slice(json);
    let parsed = parsed.context("it recorded something else than a part")?;
    if part(&parsed).task != task {
        bail!("it recorded another run than it was told to");
    }
    Ok(parsed)
}
