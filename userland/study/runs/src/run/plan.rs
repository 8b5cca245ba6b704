// SPDX-License-Identifier: GPL-2.0

//! In which order the runs are made.

use super::Study;
use crate::run_id::{Environment, RunId};

/// Runs on one start of the machines.
pub struct Block {
    pub environment: Environment,
    pub runs: Vec<RunId>,
}

/// Repetition by repetition, so that drift hits all environments and scenarios alike; within
/// one, each time another scenario is first.
pub fn plan(study: &Study) -> Vec<Block> {
    let mut blocks = Vec::new();
    for repetition in 1..=study.repetitions {
        for &environment in &study.environments {
            let mut runs = Vec::new();
            for &scenario in &study.scenarios {
                for &buffer in &study.buffers {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run_id::Buffer;
    use crate::scenario::PAPER;
    use std::collections::BTreeSet;

    #[test]
    fn every_run_is_planned_once_and_repetitions_are_interleaved() {
        let study = Study {
            results: "results".into(),
            environments: vec![Environment::XenPv, Environment::Native],
            scenarios: PAPER.to_vec(),
            buffers: Buffer::ALL.to_vec(),
            repetitions: 5,
            frames: 10_000,
            optional: Vec::new(),
        };
        let blocks = plan(&study);
        let runs: Vec<RunId> = blocks.iter().flat_map(|block| block.runs.clone()).collect();
        assert_eq!(runs.iter().collect::<BTreeSet<_>>().len(), 2 * 4 * 2 * 5);
        assert_eq!(runs.len(), 80);
        assert!(runs.is_sorted_by_key(|run| run.repetition));
        let firsts: BTreeSet<_> = blocks.iter().map(|block| block.runs[0].scenario).collect();
        assert_eq!(firsts.len(), 4);
    }
}
