// SPDX-License-Identifier: GPL-2.0

//! The labs of several environments, each in a thread: a clock of instructions is not hurried by others.

use anyhow::{anyhow, Result};
use xcap_machines::Lab;

use super::lab::LabSource;
use super::recording::{Machines, Source};
use crate::run_id::Environment;

/// What `work` makes in the lab of each, with xcap loaded or without, in their order; or the first error, with what the
/// guests said last.
pub fn in_labs<T: Send>(
    source: &LabSource,
    environments: &[Environment],
    load: bool,
    work: impl Fn(&Lab, Environment) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let in_one = |environment| -> Result<T> {
        let mut lab = boot(source, environment, load)?;
        let made = work(&lab, environment).map_err(|error| lab.explain(error))?;
        Machines::check(&lab)?;
        Ok(made)
    };
    std::thread::scope(|scope| {
        let in_one = &in_one;
        let all: Vec<_> = environments
            .iter()
            .map(|&environment| scope.spawn(move || in_one(environment)))
            .collect();
        let mut made = Vec::new();
        for one in all {
            made.push(one.join().map_err(|_| anyhow!("a thread ended"))??);
        }
        Ok(made)
    })
}

/// A host with much else to do may be too slow for a machine's start.
fn boot(source: &LabSource, environment: Environment, load: bool) -> Result<Lab> {
    for _ in 1..source.attempts() {
        match source.boot(environment, load) {
            Ok(lab) => return Ok(lab),
            Err(error) => eprintln!(
                "xcap-paper: {}: {error:#}\ntrying again",
                environment.name()
            ),
        }
    }
    source.boot(environment, load)
}
