// SPDX-License-Identifier: GPL-2.0

//! What is to be run, and in which order.

use std::path::PathBuf;

use crate::layout::Layout;
use crate::run_id::{Buffer, Environment, RunId};
use crate::scenario::Scenario;

#[derive(Debug, Clone)]
pub struct Plan {
    pub results: PathBuf,
    pub layout: Layout,
    pub environments: Vec<Environment>,
    pub scenarios: Vec<Scenario>,
    pub buffers: Vec<Buffer>,
    pub repetitions: u32,
    pub frames: u64,
    /// Numbered frames that are sent after each run, to leave marks; 0: none.
    pub marks: u64,
    /// Environments that may turn out not to be had here: left out then, and no error.
    pub optional: Vec<Environment>,
}

/// Runs on one start of the machines.
pub struct Block {
    pub environment: Environment,
    pub runs: Vec<RunId>,
}

impl Plan {
    /// Repetition by repetition, so that drift hits all environments and scenarios alike; within
    /// one, each time another scenario is first.
    pub fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        for repetition in 1..=self.repetitions {
            for &environment in &self.environments {
                let mut runs = Vec::new();
                for &scenario in &self.scenarios {
                    for &buffer in &self.buffers {
                        runs.push(RunId {
                            environment,
                            scenario,
                            buffer,
                            repetition,
                        });
                    }
                }
                if !runs.is_empty() {
                    // An odd step, so that the buffers change places too.
                    let first = 3 * (repetition as usize - 1) % runs.len();
                    runs.rotate_left(first);
                }
                blocks.push(Block { environment, runs });
            }
        }
        blocks
    }

    /// Where a run's folder is.
    pub fn folder(&self, run: RunId) -> PathBuf {
        self.layout.folder(&self.results, run)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::PAPER;
    use std::collections::BTreeSet;

    #[test]
    fn every_run_is_planned_once_and_repetitions_are_interleaved() {
        let plan = Plan {
            results: "results".into(),
            layout: Layout::Study,
            environments: vec![Environment::XenPv, Environment::Native],
            scenarios: PAPER.to_vec(),
            buffers: Buffer::ALL.to_vec(),
            repetitions: 5,
            frames: 10_000,
            marks: 0,
            optional: Vec::new(),
        };
        let blocks = plan.blocks();
        let runs: Vec<RunId> = blocks.iter().flat_map(|block| block.runs.clone()).collect();
        assert_eq!(runs.iter().collect::<BTreeSet<_>>().len(), 2 * 4 * 2 * 5);
        assert_eq!(runs.len(), 80);
        assert!(runs.is_sorted_by_key(|run| run.repetition));
        let firsts: BTreeSet<_> = blocks.iter().map(|block| block.runs[0].scenario).collect();
        assert_eq!(firsts.len(), 4);
    }
}
