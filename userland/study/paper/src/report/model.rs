// SPDX-License-Identifier: GPL-2.0

//! What the report is made of.

use xcap_abi::stage::Stage;

use super::findings::{self, Finding};
use super::journeys::{self, OfScenario};
use super::selection::Selection;
use super::{future, ours, paper};
use crate::figure::Figure;
use crate::loads::Loads;
use crate::study::Study;
use crate::tables::Table;
use xcap_study::marked::Marked;
use xcap_study::run::ways::Ways;
use xcap_study::run_id::{Domain, Environment};

/// Whose calls' distribution is drawn.
const SPREAD: [(Domain, Stage); 7] = [
    (Domain::Dom0, Stage::NicIrq),
    (Domain::Dom0, Stage::Softirq),
    (Domain::Dom0, Stage::Copy),
    (Domain::Dom0, Stage::GrantCopy),
    (Domain::Dom0, Stage::Notify),
    (Domain::DomU, Stage::Softirq),
    (Domain::DomU, Stage::CopyUser),
];

/// All that the page and the files tell.
pub struct Report<'a> {
    pub selection: Selection<'a>,
    pub paper: Vec<Figure>,
    pub driver: Figure,
    pub per_frame: Vec<Figure>,
    pub self_time: Vec<Figure>,
    pub distributions: Vec<Figure>,
    pub native: Vec<Figure>,
    pub model: Table,
    pub budgets: Vec<Figure>,
    pub losses: Vec<Figure>,
    pub journeys: Vec<OfScenario>,
    pub ways: Option<Ways>,
    pub findings: Vec<Finding>,
    pub variation: Table,
    pub answers: Vec<String>,
    pub overhead: Table,
    /// Rates from idle to overload; none, where none were swept.
    pub sweep: Vec<Figure>,
    /// What measuring costs the capture; none, where that wasn't measured.
    pub measuring: Vec<Figure>,
}

impl<'a> Report<'a> {
    pub fn new(study: &'a Study, loads: &Loads, marked: &[Marked], ways: Option<Ways>) -> Self {
        let selection = Selection::new(study);
        let environments = study.environments();
        let has_native = environments.contains(&Environment::Native);
        let has_xen = study.xen().is_some();
        let whole = selection.lossless();
        let mut self_time = Vec::new();
        let mut budgets = Vec::new();
        for &environment in &environments {
            let executed = ours::executed(&whole, environment);
            for &domain in environment.domains() {
                self_time.push(ours::self_time(&whole, environment, domain));
                if executed.is_none() {
                    budgets.extend(ours::budget(&whole, environment, domain));
                }
            }
            budgets.extend(executed);
        }
        Self {
            paper: paper::figures(&selection),
            driver: ours::driver(&selection),
            per_frame: [Domain::Dom0, Domain::DomU]
                .map(|domain| ours::per_frame(&whole, domain))
                .into(),
            self_time,
            distributions: SPREAD
                .into_iter()
                .filter_map(|(domain, stage)| ours::distribution(&selection, domain, stage))
                .collect(),
            native: if has_native && has_xen {
                ours::beside_xen(&whole)
            } else {
                Vec::new()
            },
            model: ours::cost_model(&selection),
            budgets,
            journeys: journeys::all(&selection, marked),
            ways,
            losses: environments
                .iter()
                .map(|&environment| ours::losses(&selection, environment))
                .collect(),
            findings: findings::all(&selection),
            answers: future::answers(&selection),
            overhead: future::overhead(&whole),
            variation: future::variation(&selection),
            sweep: loads.sweep.as_ref().map(ours::sweep).unwrap_or_default(),
            measuring: loads
                .overhead
                .as_ref()
                .map(ours::measuring)
                .unwrap_or_default(),
            selection,
        }
    }

    pub fn figures(&self) -> impl Iterator<Item = &Figure> {
        self.paper
            .iter()
            .chain([&self.driver])
            .chain(&self.per_frame)
            .chain(&self.self_time)
            .chain(&self.distributions)
            .chain(&self.native)
            .chain(&self.budgets)
            .chain(&self.losses)
            .chain(&self.sweep)
            .chain(&self.measuring)
            .chain(self.journeys.iter().flat_map(OfScenario::figures))
    }

    /// Each with its file's name.
    pub fn tables(&self) -> Vec<(String, Table)> {
        let mut tables: Vec<_> = self
            .figures()
            .map(|figure| (figure.id.clone(), figure.table.clone()))
            .collect();
        tables.push(("cost-model".into(), self.model.clone()));
        tables.push(("variation".into(), self.variation.clone()));
        tables.push(("virtualised-or-not".into(), self.overhead.clone()));
        tables.push(("findings".into(), findings::table(&self.findings)));
        tables
    }
}
