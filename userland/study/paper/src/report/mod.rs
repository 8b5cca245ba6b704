// SPDX-License-Identifier: GPL-2.0

//! The report: figures, tables and findings of all runs, on one page.

mod findings;
mod future;
mod ours;
mod page;
mod paper;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use xcap_abi::stage::Stage;

use crate::figure::{alone, Figure};
use crate::study::{Condition, Pooled, Study};
use crate::tables::Table;
use xcap_study::load;
use xcap_study::run_id::{Buffer, Domain, Environment};
use xcap_study::scenario::{Scenario, PAPER};
use xcap_study::testbed::World;

pub use findings::{Claim, Finding, Outcome, Verdict};

/// What most figures stand on: one environment, one kind of socket buffer.
pub struct Ground<'a> {
    pub study: &'a Study,
    pub environment: Environment,
    pub buffer: Buffer,
    pub scenarios: Vec<Scenario>,
}

impl<'a> Ground<'a> {
    fn new(study: &'a Study) -> Self {
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

    fn on(&self, environment: Environment) -> Self {
        Self {
            study: self.study,
            environment,
            buffer: self.buffer,
            scenarios: self.scenarios.clone(),
        }
    }

    /// With a socket that has room for every frame, if there are such runs: what a frame costs
    /// is told fairly only where none is dropped half way.
    fn lossless(&self) -> Self {
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

    /// Unit, environment, and what the cycles are of.
    fn subtitle(&self, unit: &str) -> String {
        let place = self.environment.label();
        self.world_subtitle(&format!("{unit} · {place}"))
    }

    fn world_subtitle(&self, unit: &str) -> String {
        format!("{unit} · {}", world_word(self.study.world()))
    }
}

/// Which socket's buffer it is.
fn buffer_words(buffer: Buffer) -> &'static str {
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

/// All that is to be told.
pub struct Report<'a> {
    ground: Ground<'a>,
    paper: Vec<Figure>,
    driver: Figure,
    per_frame: Vec<Figure>,
    self_time: Vec<Figure>,
    distributions: Vec<Figure>,
    native: Vec<Figure>,
    losses: Vec<Figure>,
    findings: Vec<Finding>,
    variation: Table,
    answers: Vec<String>,
    overhead: Table,
}

impl<'a> Report<'a> {
    pub fn new(study: &'a Study) -> Self {
        let ground = Ground::new(study);
        let environments = study.environments();
        let has_native = environments.contains(&Environment::Native);
        let has_xen = study.xen().is_some();
        let whole = ground.lossless();
        let mut self_time = Vec::new();
        for &environment in &environments {
            for &domain in environment.domains() {
                self_time.push(ours::self_time(&whole, environment, domain));
            }
        }
        let spread = [
            (Domain::Dom0, Stage::NicIrq),
            (Domain::Dom0, Stage::Softirq),
            (Domain::Dom0, Stage::Copy),
            (Domain::Dom0, Stage::GrantCopy),
            (Domain::Dom0, Stage::Notify),
            (Domain::DomU, Stage::Softirq),
            (Domain::DomU, Stage::CopyUser),
        ];
        let variation = ours::variation(&ground);
        Self {
            paper: paper::figures(&ground),
            driver: ours::driver(&ground),
            per_frame: [Domain::Dom0, Domain::DomU]
                .map(|domain| ours::per_frame(&whole, domain))
                .into(),
            self_time,
            distributions: spread
                .iter()
                .filter_map(|(domain, stage)| ours::distribution(&ground, *domain, *stage))
                .collect(),
            native: if has_native && has_xen {
                ours::native_beside_xen(&whole)
            } else {
                Vec::new()
            },
            losses: environments
                .iter()
                .map(|&environment| ours::losses(&ground, environment))
                .collect(),
            findings: findings::all(&ground),
            answers: future::answers(&ground),
            overhead: future::overhead(&whole),
            variation,
            ground,
        }
    }

    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    pub fn figures(&self) -> impl Iterator<Item = &Figure> {
        self.paper
            .iter()
            .chain([&self.driver])
            .chain(&self.per_frame)
            .chain(&self.self_time)
            .chain(&self.distributions)
            .chain(&self.native)
            .chain(&self.losses)
    }

    pub fn page(&self) -> String {
        page::page(self)
    }

    fn tables(&self) -> Vec<(String, Table)> {
        let mut tables: Vec<_> = self
            .figures()
            .map(|figure| (figure.id.clone(), figure.table.clone()))
            .collect();
        tables.push(("variation".into(), self.variation.clone()));
        tables.push(("virtualised-or-not".into(), self.overhead.clone()));
        tables.push(("findings".into(), findings::table(&self.findings)));
        tables
    }
}

/// Reads the results in a folder and writes the report beside them; gives the page's path.
pub fn write(results: &Path) -> Result<PathBuf> {
    let study = Study::new(load::all(results)?);
    let report = Report::new(&study);
    for figure in report.figures() {
        let path = results.join("figures").join(format!("{}.svg", figure.id));
        replace(&path, alone(&figure.svg).as_bytes())?;
    }
    for (name, table) in report.tables() {
        let folder = results.join("tables");
        replace(&folder.join(format!("{name}.csv")), &table.csv()?)?;
        replace(
            &folder.join(format!("{name}.md")),
            table.markdown().as_bytes(),
        )?;
    }
    let page = results.join("report.html");
    replace(&page, report.page().as_bytes())?;
    Ok(page)
}

/// Puts a file in place, whole or not at all.
fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let written = (|| -> Result<()> {
        fs::create_dir_all(folder)?;
        let mut file = tempfile::Builder::new()
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
            .tempfile_in(folder)?;
        file.write_all(bytes)?;
        file.persist(path)?;
        Ok(())
    })();
    written.with_context(|| format!("cannot write '{}'", path.display()))
}
