// SPDX-License-Identifier: GPL-2.0

//! One run, whatever the machines are and however they are reached.

use std::collections::BTreeMap;

use anyhow::{bail, Context, Result};

use super::lab::{Lab, Makings};
use super::reached::Commands;
use crate::environment;
use crate::part::{Part, Task};
use crate::run_id::Environment;

/// Place machines come from.
pub enum Bench<'a> {
    Lab(Makings),
    Machines(&'a Commands),
}

impl Bench<'_> {
    pub fn start(&mut self, environment: Environment) -> Result<Machines> {
        match self {
            Self::Lab(makings) => Ok(Machines::Lab(Box::new(makings.boot(environment)?))),
            Self::Machines(commands) => Ok(Machines::Commands((*commands).clone())),
        }
    }

    /// How often a run is begun: the lab's machines may die, and be booted anew.
    pub fn attempts(&self) -> u32 {
        match self {
            Self::Lab(_) => 3,
            Self::Machines(_) => 1,
        }
    }

    /// What only the lab's host knows.
    pub fn lab(&self) -> Option<environment::Lab> {
        match self {
            Self::Lab(makings) => Some(makings.description()),
            Self::Machines(_) => None,
        }
    }
}

/// Machines that are up.
pub enum Machines {
    Lab(Box<Lab>),
    Commands(Commands),
}

impl Machines {
    fn roles(&self) -> Vec<&'static str> {
        match self {
            Self::Lab(lab) => lab.roles(),
            Self::Commands(commands) => commands.roles(),
        }
    }

    fn record(&self, role: &str, task: Task) -> Result<Box<dyn Recording>> {
        match self {
            Self::Lab(lab) => lab.record(role, task),
            Self::Commands(commands) => commands.record(role, task),
        }
    }

    pub fn explain(&mut self, error: anyhow::Error) -> anyhow::Error {
        match self {
            Self::Lab(lab) => lab.explain(error),
            Self::Commands(_) => error,
        }
    }

    /// An error if a machine isn't well, though it answered.
    pub fn check(&self) -> Result<()> {
        match self {
            Self::Lab(lab) => lab.check(),
            Self::Commands(_) => Ok(()),
        }
    }
}

/// `xcap-paper record` under way in a machine.
pub trait Recording {
    /// Waits until the first frame may come.
    fn begun(&mut self) -> Result<()>;
    /// Tells it that the last frame was sent.
    fn over(&mut self) -> Result<()>;
    /// Waits for its part.
    fn part(self: Box<Self>) -> Result<Vec<u8>>;
}

/// What a recorder says when the first frame may come.
pub const BEGUN: &str = "begun";

/// The arguments of `xcap-paper record`.
pub fn arguments(role: &str, interface: &str, destination: &str, task: Task) -> Vec<String> {
    let mut arguments = vec![
        "record".to_owned(),
        "--role".into(),
        role.into(),
        "--interface".into(),
        interface.into(),
        "--scenario".into(),
        task.scenario.to_string(),
        "--buffer".into(),
        task.buffer.name().into(),
        "--repetition".into(),
        task.repetition.to_string(),
        "--frames".into(),
        task.frames.to_string(),
    ];
    if role == "sender" {
        arguments.extend(["--destination".into(), destination.into()]);
    }
    arguments
}

/// Makes one run.
pub fn perform(machines: &Machines, task: Task) -> Result<BTreeMap<String, Part>> {
    let mut measured = Vec::new();
    for role in machines.roles() {
        measured.push((role, machines.record(role, task).context(role)?));
    }
    for (role, recording) in &mut measured {
        recording.begun().context(*role)?;
    }
    let mut parts = BTreeMap::new();
    let sender = machines.record("sender", task)?;
    parts.insert(
        "sender".to_owned(),
        parse(&sender.part().context("sender")?, task)?,
    );
    for (role, recording) in &mut measured {
        recording.over().context(*role)?;
    }
    for (role, recording) in measured {
        let part = parse(&recording.part().context(role)?, task).context(role)?;
        parts.insert(role.to_owned(), part);
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
