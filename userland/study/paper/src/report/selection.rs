// SPDX-License-Identifier: GPL-2.0

//! Which of a study's runs figures are of, and the words that say so.

use plotters::style::RGBColor;
use xcap_abi::stage::Stage;

use crate::figure::theme;
use crate::study::{Condition, Pooled, Study};
use xcap_study::run_id::{Buffer, Domain, Environment};
use xcap_study::scenario::{Scenario, PAPER};
use xcap_study::testbed::World;

/// The runs that most figures are of: one environment, one kind of socket buffer.
pub struct Selection<'a> {
    pub study: &'a Study,
    pub environment: Environment,
    pub buffer: Buffer,
    pub scenarios: Vec<Scenario>,
}

impl<'a> Selection<'a> {
    pub fn new(study: &'a Study) -> Self {
        let mut others: Vec<Scenario> = study.runs.iter().map(|run| run.id.scenario).collect();
        others.sort();
        others.dedup();
        others.retain(|scenario| !PAPER.contains(scenario));
        Self {
            study,
            environment: study.xen().unwrap_or(Environment::XenPv),
            buffer: study.buffer(),
            scenarios: PAPER.into_iter().chain(others).collect(),
        }
    }

    pub fn on(&self, environment: Environment) -> Self {
        Self {
            study: self.study,
            environment,
            buffer: self.buffer,
            scenarios: self.scenarios.clone(),
        }
    }

    /// With a socket that has room for every frame, if there are such runs: what a frame costs
    /// is told fairly only where none is dropped half way.
    pub fn lossless(&self) -> Self {
        let buffers = self.study.buffers();
        let buffer = if buffers.contains(&Buffer::Large) {
            Buffer::Large
        } else {
            self.buffer
        };
        Self {
            buffer,
            ..self.on(self.environment)
        }
    }

    pub fn condition(&self, scenario: Scenario) -> Condition {
        Condition {
            environment: self.environment,
            scenario,
            buffer: self.buffer,
        }
    }

    pub fn pooled(&self, scenario: Scenario, domain: Domain, stage: Stage) -> Option<Pooled> {
        self.study.pooled(self.condition(scenario), domain, stage)
    }

    /// Those of `stages` that a machine had calls of, in any scenario.
    pub fn called(&self, domain: Domain, stages: impl IntoIterator<Item = Stage>) -> Vec<Stage> {
        let called = |&stage: &Stage| {
            let mut pooled = self
                .scenarios
                .iter()
                .filter_map(|&scenario| self.pooled(scenario, domain, stage));
            pooled.any(|pooled| pooled.moments.count > 0)
        };
        stages.into_iter().filter(called).collect()
    }

    /// The scenarios' names and colours.
    pub fn legend(&self) -> Vec<(String, RGBColor)> {
        self.scenarios
            .iter()
            .map(|&scenario| (scenario.to_string(), theme::of_scenario(scenario)))
            .collect()
    }

    /// The word for what figures are counted in.
    pub fn unit(&self) -> &'static str {
        self.study.unit().word()
    }

    /// Unit, environment, and what the cycles are of.
    pub fn subtitle(&self, unit: &str) -> String {
        let place = self.environment.label();
        self.world_subtitle(&format!("{unit} · {place}"))
    }

    pub fn world_subtitle(&self, unit: &str) -> String {
        format!("{unit} · {}", world_word(self.study.world()))
    }
}

/// Which socket's buffer it is.
pub fn buffer_words(buffer: Buffer) -> &'static str {
    match buffer {
        Buffer::System => "system's buffer",
        Buffer::Large => "large buffer",
    }
}

/// A word for every figure.
pub fn world_word(world: World) -> &'static str {
    match world {
        World::Emulated => "EMULATED",
        World::Virtual => "virtual machines",
        World::Real => "real machines",
    }
}
