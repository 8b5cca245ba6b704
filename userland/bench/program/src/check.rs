// SPDX-License-Identifier: GPL-2.0

//! The short part that `make test` runs: reports are true, costs are those on record,
//! and no return is mispredicted.

use crate::control::BACKENDS;
use crate::exact::Exactness;
use crate::guest_files;
use crate::hit::Hit;
use crate::job::Job;
use crate::marks::Marked;
use crate::mispredicted;
use crate::record::{exceeds_reference, Record, FILE};
use crate::show;
use crate::testbed::Testbed;
use crate::tool::{Setting, Tool};
use anyhow::{bail, Result};
use std::collections::BTreeMap;
use std::path::PathBuf;
use xcap_output::print;

/// C modules, each with the backend that may cost a tenth more than it.
pub const REFERENCES: [(&str, &str); 2] = [("c_kretprobe", "kretprobe"), ("c_fprobe", "fprobe")];

pub fn backend_row(backend: &str) -> (String, Tool) {
    row(backend, Setting::Loaded)
}

fn row(backend: &str, setting: Setting) -> (String, Tool) {
    let tool = Tool::Xcap {
        backend: backend.to_owned(),
        setting,
    };
    (format!("xcap {backend}{}", setting.suffix()), tool)
}

/// Backends that were told this and that.
fn told_rows() -> Vec<(String, Tool)> {
    use Setting::{InScope, MarksOffAgain, OutOfScope};
    let scoped = |backend| [InScope, OutOfScope].map(|setting| row(backend, setting));
    let mut rows = vec![row("direct", MarksOffAgain)];
    rows.extend(BACKENDS.into_iter().flat_map(scoped));
    rows
}

pub fn module_row(module: &str) -> (String, Tool) {
    let tool = Tool::Module {
        file: guest_files::path(&format!("{module}.ko")),
    };
    (
        format!("C module, {}", module.trim_start_matches("c_")),
        tool,
    )
}

/// What is measured at every check and in every benchmark.
pub fn own_rows() -> Vec<(String, Tool)> {
    let backends = BACKENDS.iter().rev().map(|backend| backend_row(backend));
    backends
        .chain(REFERENCES.map(|(module, _)| module_row(module)))
        .collect()
}

pub fn run(testbed: &Testbed, update: bool) -> Result<()> {
    let job = Job {
        exact: true,
        hits: own_rows().into_iter().chain(told_rows()).collect(),
        marks: true,
        ..Job::NOTHING
    };
    let outcome = testbed.deterministic(&job, &[])?;
    print(&show::exact(&outcome.exact))?;
    let mut complaints = untrue(&outcome.exact);
    complaints.extend(unsound(&outcome.hits));
    let mut costs = costs(&outcome.hits);
    costs.extend(
        outcome
            .marks
            .iter()
            .map(|one| (one.probe(), rounded(one.cost))),
    );
    print(&costs_text(&outcome.hits))?;
    print(&marks_text(&outcome.marks))?;
    complaints.extend(dearer_than_references(&costs));
    // The record is of xcap's own cost.
    costs.retain(|probe, _| probe.starts_with("xcap"));
    let kernel = &testbed.materials.kernel.release;
    if update {
        record(kernel, costs)?;
    } else {
        complaints.extend(dearer_than_recorded(kernel, &costs)?);
    }
    let returns = testbed.returns()?;
    print(&mispredicted::text(&returns))?;
    complaints.extend(mispredicted::complaints(&returns));
    if !complaints.is_empty() {
        bail!("not as it should be:\n  {}", complaints.join("\n  "));
    }
    Ok(())
}

/// A sentence for each report that is not true.
fn untrue(reports: &[Exactness]) -> Vec<String> {
    let wrong = reports.iter().filter(|report| !report.holds());
    wrong
        .map(|one| {
            let who = one.backend.as_deref().unwrap_or("unprobed");
            format!(
                "{who} on {}: {:.2} of {} instructions, {} of {} calls",
                one.function, one.corrected, one.length, one.count, one.calls
            )
        })
        .collect()
}

/// A sentence for each probe that doesn't work, or loses calls.
fn unsound(hits: &[Hit]) -> Vec<String> {
    let sentence = |hit: &Hit| match &hit.outcome {
        Err(reason) => Some(format!("{}: {reason}", hit.probe)),
        Ok(cost) if cost.lost > 0 => Some(format!(
            "{}: {} of {} hits lost",
            hit.probe, cost.lost, cost.calls
        )),
        Ok(_) => None,
    };
    hits.iter().filter_map(sentence).collect()
}

/// Probe → instructions of a hit beyond the unprobed call, as they are recorded.
type Costs = BTreeMap<String, f64>;

fn rounded(cost: f64) -> f64 {
    (cost * 10.0).round() / 10.0
}

fn costs(hits: &[Hit]) -> Costs {
    let costs = hits
        .iter()
        .filter_map(|hit| Some((hit, hit.beyond_unprobed()?)));
    costs
        .map(|(hit, cost)| (hit.probe.clone(), rounded(cost)))
        .collect()
}

fn costs_text(hits: &[Hit]) -> String {
    let line = |hit: &Hit| {
        let beyond = hit.beyond_unprobed()?;
        Some(format!(
            "{:29} {beyond:8.1} instructions a hit beyond the unprobed {:.1}\n",
            hit.probe, hit.unprobed
        ))
    };
    hits.iter().filter_map(line).collect()
}

fn marks_text(marks: &[Marked]) -> String {
    let line = |one: &Marked| {
        let probe = one.probe();
        format!(
            "{probe:29} {:8.1} instructions a hit that leaves a mark\n",
            one.cost
        )
    };
    marks.iter().map(line).collect()
}

fn dearer_than_references(costs: &Costs) -> Vec<String> {
    let dearer = REFERENCES.iter().filter_map(|(module, backend)| {
        let named = |(name, _): (String, Tool)| costs.get_key_value(&name);
        let (ours, count) = named(backend_row(backend))?;
        let (theirs, reference) = named(module_row(module))?;
        exceeds_reference((ours, *count), (theirs, *reference))
    });
    dearer.collect()
}

fn record_path() -> Result<PathBuf> {
    Ok(xcap_machines::materials::source_tree()?.join(FILE))
}

fn record(kernel: &str, costs: Costs) -> Result<()> {
    let path = record_path()?;
    let mut record = if path.exists() {
        Record::load(&path)?
    } else {
        Record::default()
    };
    record.0.insert(kernel.to_owned(), costs);
    record.save(&path)?;
    print(&format!("recorded in {FILE}\n"))?;
    Ok(())
}

fn dearer_than_recorded(kernel: &str, costs: &Costs) -> Result<Vec<String>> {
    let mut dearer = Record::load(&record_path()?)?.exceeded(
        kernel,
        costs,
        &["xcap direct", "xcap direct, marks off again"],
    );
    if !dearer.is_empty() {
        dearer.push("if that is meant: xcap-bench check --update".to_owned());
    }
    Ok(dearer)
}
