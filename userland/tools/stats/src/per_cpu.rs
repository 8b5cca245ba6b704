// SPDX-License-Identifier: GPL-2.0

//! What each CPU measured.

use std::collections::BTreeMap;

use crate::stats::{Stage, Stats};

/// One reading of `per_cpu`.
#[derive(Debug, Clone, PartialEq)]
pub struct PerCpu {
    /// In order of the CPUs; what belongs to none is last.
    pub cpus: Vec<OneCpu>,
}

/// A CPU's part of it.
#[derive(Debug, Clone, PartialEq)]
pub struct OneCpu {
    /// None: calls that the kernel lost, nobody knows on which.
    pub cpu: Option<u32>,
    /// The same header for all; stages without a figure on this CPU are left out.
    pub stats: Stats,
}

impl PerCpu {
    pub(crate) fn new(header: &Stats, lines: Vec<(Option<u32>, Stage)>) -> Self {
        let mut cpus: BTreeMap<(bool, Option<u32>), Vec<Stage>> = BTreeMap::new();
        for (cpu, stage) in lines {
            cpus.entry((cpu.is_none(), cpu)).or_default().push(stage);
        }
        let cpus = cpus.into_iter().map(|((_, cpu), stages)| OneCpu {
            cpu,
            stats: Stats {
                stages,
                ..header.clone()
            },
        });
        Self {
            cpus: cpus.collect(),
        }
    }

    /// All CPUs added up, as `stats` has them; none where no CPU has anything.
    pub fn total(&self) -> Option<Stats> {
        let (first, others) = self.cpus.split_first()?;
        let mut total = first.stats.clone();
        for stage in others.iter().flat_map(|cpu| &cpu.stats.stages) {
            match total
                .stages
                .iter_mut()
                .find(|known| known.stage == stage.stage)
            {
                Some(known) => known.merge(stage),
                None => total.stages.push(stage.clone()),
            }
        }
        for stage in &mut total.stages {
            stage.derive();
            stage.settle();
        }
        Some(total)
    }
}
