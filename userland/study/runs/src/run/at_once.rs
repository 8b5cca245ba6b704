// SPDX-License-Identifier: GPL-2.0

//! Labs of several environments, each in a thread: a clock of instructions is not hurried by others.

use anyhow::{anyhow, Result};

use crate::run_id::Environment;

/// What `work` makes of each, in their order; or the first error.
pub fn at_once<T: Send>(
    environments: &[Environment],
    work: impl Fn(Environment) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    std::thread::scope(|scope| {
        let work = &work;
        let all: Vec<_> = environments
            .iter()
            .map(|&environment| scope.spawn(move || work(environment)))
            .collect();
        let mut made = Vec::new();
        for one in all {
            made.push(one.join().map_err(|_| anyhow!("a thread ended"))??);
        }
        Ok(made)
    })
}
