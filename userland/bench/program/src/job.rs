// SPDX-License-Identifier: GPL-2.0

//! What the benchmark does inside a guest: one job, one line of JSON.

use crate::exact::{self, Exactness};
use crate::hit::{self, Hit};
use crate::marks::{self, Marked};
use crate::returns::{self, Run};
use crate::scale::{self, Scale};
use crate::symbols;
use crate::tool::Tool;
use crate::two_cpus::{self, Calls};
use crate::{guest_files, kernel_module};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
pub struct Job {
    /// What xcap reports for functions of known length.
    pub exact: bool,
    /// What a hit costs with each of these.
    pub hits: Vec<(String, Tool)>,
    /// What a hit costs that leaves a mark.
    pub marks: bool,
    /// How cost and memory grow with probes of these backends.
    pub scale: Vec<String>,
    /// Two CPUs at one probe, so many calls each.
    pub two_cpus: Option<u32>,
    /// Calls between markers, for a plugin that counts mispredicted returns.
    pub returns: bool,
    /// Which functions these addresses are in.
    pub symbols: Vec<u64>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Outcome {
    pub exact: Vec<Exactness>,
    pub hits: Vec<Hit>,
    pub marks: Vec<Marked>,
    pub scale: Vec<Scale>,
    pub two_cpus: Vec<Calls>,
    pub returns: Vec<Run>,
    pub symbols: Vec<String>,
}

impl Job {
    pub const NOTHING: Job = Job {
        exact: false,
        hits: Vec::new(),
        marks: false,
        scale: Vec::new(),
        two_cpus: None,
        returns: false,
        symbols: Vec::new(),
    };

    pub fn run(&self) -> Result<Outcome> {
        let mut outcome = Outcome {
            symbols: symbols::names(&self.symbols)?,
            ..Outcome::default()
        };
        if self.exact || self.returns || !self.hits.is_empty() {
            kernel_module::load(&guest_files::path("xcap_targets.ko"), &[])?;
        }
        // Before xcap is loaded for the other parts.
        outcome.hits = hit::measure(&self.hits)?;
        if self.exact {
            outcome.exact = exact::measure().context("reports on functions of known length")?;
        }
        if self.marks {
            outcome.marks = marks::measure().context("marks")?;
        }
        outcome.scale = scale::measure(&self.scale).context("scale")?;
        if let Some(calls) = self.two_cpus {
            outcome.two_cpus = two_cpus::measure(calls).context("two CPUs")?;
        }
        if self.returns {
            outcome.returns = returns::measure().context("returns")?;
        }
        Ok(outcome)
    }
}
