// SPDX-License-Identifier: GPL-2.0

//! One run.

use anyhow::{bail, Context, Result};

use super::recording::Machines;
use crate::part::{Part, Parts, Task};
use crate::role::Role;

/// Makes one run: every machine that is measured records while the sender sends.
pub fn perform(machines: &dyn Machines, task: Task) -> Result<Parts> {
    let mut measured = Vec::new();
    for role in machines.roles() {
        measured.push((role, machines.record(role, task).context(role)?));
    }
    for (role, recording) in &mut measured {
        recording.begun().context(*role)?;
    }
    let sender = machines.record(Role::Sender, task)?;
    let sender = parse(&sender.part().context(Role::Sender)?, task)?;
    let mut parts = Parts::from([(Role::Sender, sender)]);
    for (role, recording) in &mut measured {
        recording.over().context(*role)?;
    }
    for (role, recording) in measured {
        let part = parse(&recording.part().context(role)?, task).context(role)?;
        parts.insert(role, part);
    }
    Ok(parts)
}

fn parse(json: &[u8], task: Task) -> Result<Part> {
    let part: Part =
        serde_json::from_slice(json).context("it recorded something else than a part")?;
    if part.task != task {
        bail!("it recorded another run than it was told to");
    }
    Ok(part)
}
