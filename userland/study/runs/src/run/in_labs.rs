// SPDX-License-Identifier: GPL-2.0

//! The labs of several environments, each in a thread: a clock of instructions is not hurried by others.

use anyhow::{anyhow, Context, Error, Result};
use xcap_machines::Lab;

use super::lab::LabSource;
use super::recording::{Machines, Source};
use crate::run_id::Environment;

/// What some environments made, in their order, and the error of those that made nothing.
pub struct Made<T> {
    pub all: T,
    pub error: Option<Error>,
}

impl<T> Made<T> {
    /// The same, of what is made of it.
    pub(super) fn map<U>(self, into: impl FnOnce(T) -> U) -> Made<U> {
        Made {
            all: into(self.all),
            error: self.error,
        }
    }

    /// Keeps what was made, then fails if not all was.
    pub fn keep(self, keep: impl FnOnce(&T) -> Result<()>) -> Result<()> {
        keep(&self.all)?;
        self.error.map_or(Ok(()), |error| {
            Err(error.context("what was measured is kept"))
        })
    }
}

/// What `work` makes in the lab of each, with xcap loaded or without. One that fails costs the others nothing, nor what
/// it had made before.
///
/// # Errors
///
/// None made anything: the first error, with what the guests said last.
pub(super) fn in_labs<T: Send>(
    source: &LabSource,
    environments: &[Environment],
    load: bool,
    work: impl Fn(&Lab, Environment, &mut Vec<T>) -> Result<()> + Sync,
) -> Result<Made<Vec<T>>> {
    let in_one = |environment, made: &mut Vec<T>| -> Result<()> {
        let mut lab = boot(source, environment, load)?;
        work(&lab, environment, made).map_err(|error| lab.explain(error))?;
        Machines::check(&lab)
    };
    let in_one = |environment| {
        let mut made = Vec::new();
        let outcome = in_one(environment, &mut made);
        (made, outcome)
    };
    std::thread::scope(|scope| {
        let in_one = &in_one;
        let all: Vec<_> = environments
            .iter()
            .map(|&environment| (environment, scope.spawn(move || in_one(environment))))
            .collect();
        let all = all.into_iter().map(|(environment, one)| {
            let (made, outcome) = one
                .join()
                .unwrap_or_else(|_| (Vec::new(), Err(anyhow!("a thread ended"))));
            (made, outcome.context(environment.name()))
        });
        whole_or_part(all)
    })
}

fn whole_or_part<T>(all: impl Iterator<Item = (Vec<T>, Result<()>)>) -> Result<Made<Vec<T>>> {
    let mut made = Vec::new();
    let mut first = None;
    for (some, outcome) in all {
        made.extend(some);
        first = first.or(outcome.err());
    }
    match first {
        Some(error) if made.is_empty() => Err(error),
        error => Ok(Made { all: made, error }),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_fails_costs_the_others_nothing_but_success() -> Result<()> {
        let all = [
            (vec![2, 3], Ok(())),
            (vec![5], Err(anyhow!("lost"))),
            (vec![7], Ok(())),
        ];
        let made = whole_or_part(all.into_iter())?;
        let mut kept = None;
        let outcome = made.keep(|all| {
            kept = Some(all.clone());
            Ok(())
        });
        assert_eq!(kept, Some(vec![2, 3, 5, 7]));
        let said = format!("{:#}", outcome.unwrap_err());
        assert!(said.ends_with("is kept: lost"), "{said}");
        let failed = |why| (Vec::<u32>::new(), Err(anyhow!("{why}")));
        let none = whole_or_part([failed("first"), failed("last")].into_iter());
        assert_eq!(
            none.err().map(|error| error.to_string()).as_deref(),
            Some("first")
        );
        Ok(())
    }
}
