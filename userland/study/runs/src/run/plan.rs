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
    /// Of a scenario whose frames come one by one, no more than so many: in the lab each costs what the others do.
    pub most_apart: Option<u64>,
    /// Numbered frames that are sent after each run, to leave marks; 0: none.
    pub marks: u64,
    /// Decides the order of the runs; none: as they are listed.
    pub seed: Option<u64>,
    /// Environments that may turn out not to be had here: left out then, and no error. The paper has none of them:
    /// they get no more repetitions than show how far these differ.
    pub optional: Vec<Environment>,
}

/// Repetitions of what is optional, at most.
const OF_OPTIONAL: u32 = 3;

/// Runs on one start of the machines.
pub struct Block {
    pub environment: Environment,
    pub runs: Vec<RunId>,
}

impl Plan {
    /// Repetition by repetition, so that drift hits all environments and scenarios alike; within
    /// one, environments and their runs are in an order that the seed and the repetition decide:
    /// more repetitions leave the order of the first as it was.
    pub fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        for repetition in 1..=self.repetitions {
            let mut random = self
                .seed
                .map(|seed| fastrand::Rng::with_seed(seed ^ u64::from(repetition) << 48));
            let mut environments = self.environments.clone();
            environments.retain(|environment| {
                repetition <= OF_OPTIONAL || !self.optional.contains(environment)
            });
            if let Some(random) = &mut random {
                random.shuffle(&mut environments);
            }
            for environment in environments {
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
                if let Some(random) = &mut random {
                    random.shuffle(&mut runs);
                }
                blocks.push(Block { environment, runs });
            }
        }
        blocks
    }

    /// Frames of a run.
    pub fn frames_of(&self, scenario: Scenario) -> u64 {
        match self.most_apart {
            Some(most) if scenario.wait_us > 0 => self.frames.min(most),
            _ => self.frames,
        }
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

    fn plan(repetitions: u32, seed: Option<u64>) -> Plan {
        Plan {
            results: "results".into(),
            layout: Layout::Study,
            environments: vec![Environment::XenPv, Environment::Native],
            scenarios: PAPER.to_vec(),
            buffers: Buffer::ALL.to_vec(),
            repetitions,
            frames: 10_000,
            most_apart: None,
            marks: 0,
            seed,
            optional: Vec::new(),
        }
    }

    fn order(plan: &Plan) -> Vec<RunId> {
        plan.blocks()
            .into_iter()
            .flat_map(|block| block.runs)
            .collect()
    }

    #[test]
    fn every_run_is_planned_once_and_repetitions_are_interleaved() {
        let blocks = plan(5, Some(17)).blocks();
        let runs: Vec<RunId> = blocks.iter().flat_map(|block| block.runs.clone()).collect();
        assert_eq!(runs.iter().collect::<BTreeSet<_>>().len(), 2 * 4 * 2 * 5);
        assert_eq!(runs.len(), 80);
        assert!(runs.is_sorted_by_key(|run| run.repetition));
    }

    #[test]
    fn what_is_optional_is_repeated_less() {
        let plan = Plan {
            optional: vec![Environment::Native],
            ..plan(5, Some(17))
        };
        let blocks = plan.blocks();
        let of = |environment| {
            blocks
                .iter()
                .filter(|block| block.environment == environment)
                .count()
        };
        assert_eq!((of(Environment::XenPv), of(Environment::Native)), (5, 3));
    }

    #[test]
    fn the_seed_decides_the_order() {
        let three = order(&plan(3, Some(17)));
        assert_eq!(order(&plan(3, Some(17))), three);
        assert_ne!(order(&plan(3, Some(18))), three);
        assert_eq!(order(&plan(5, Some(17)))[..three.len()], three);
        assert!(order(&plan(3, None)).iter().take(8).is_sorted());
    }
}
