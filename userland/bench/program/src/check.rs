// SPDX-License-Identifier: GPL-2.0

//! The short part that `make test` runs: reports are true, costs are those on record.

use crate::bed::Bed;
use crate::control::BACKENDS;
use crate::guest_files;
use crate::job::Job;
use crate::record::{exceeds_reference, Record, FILE};
use crate::show;
use crate::tool::Tool;
use anyhow::{bail, Result};
use std::collections::BTreeMap;
use xcap_read::output::print;

/// C modules, each with the backend that may cost a tenth more than it.
pub const REFERENCES: [(&str, &str); 2] = [("c_kretprobe", "kretprobe"), ("c_fprobe", "fprobe")];

pub fn backend_row(backend: &str) -> (String, Tool) {
    let tool = Tool::Xcap {
        backend: backend.to_owned(),
    };
    (format!("xcap {backend}"), tool)
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

pub fn run(bed: &Bed, update: bool) -> Result<()> {
    let job = Job {
        exact: true,
        hits: own_rows(),
        ..Job::NOTHING
    };
    let outcome = bed.deterministic(&job, &[])?;
    print(&show::exact(&outcome.exact))?;
    let mut complaints: Vec<String> = outcome
        .exact
        .iter()
        .filter(|one| !one.holds())
        .map(|one| {
            let who = one.backend.as_deref().unwrap_or("unprobed");
            format!(
                "{who} on {}: {:.2} of {} instructions, {} of {} calls",
                one.function, one.corrected, one.length, one.count, one.calls
            )
        })
        .collect();
    let mut measured = BTreeMap::new();
    for hit in &outcome.hits {
        match &hit.outcome {
            Ok(cost) => {
                let beyond = cost.instructions - hit.unprobed;
                println!(
                    "{:24} {:8.1} instructions a hit beyond the unprobed {:.1}",
                    hit.probe, beyond, hit.unprobed
                );
                measured.insert(hit.probe.clone(), (beyond * 10.0).round() / 10.0);
                if cost.lost > 0 {
                    complaints.push(format!(
                        "{}: {} of {} hits lost",
                        hit.probe, cost.lost, cost.calls
                    ));
                }
            }
            Err(reason) => complaints.push(format!("{}: {reason}", hit.probe)),
        }
    }
    complaints.extend(REFERENCES.iter().filter_map(|(module, backend)| {
        let named = |(name, _): (String, Tool)| measured.get_key_value(&name);
        let (ours, count) = named(backend_row(backend))?;
        let (theirs, reference) = named(module_row(module))?;
        exceeds_reference((ours, *count), (theirs, *reference))
    }));
    // The record is of xcap's own cost.
    measured.retain(|probe, _| probe.starts_with("xcap"));
    let path = xcap_machines::materials::source_tree()?.join(FILE);
    let kernel = &bed.materials.kernel.release;
    if update {
        let mut record = if path.exists() {
            Record::load(&path)?
        } else {
            Record::default()
        };
        record.0.insert(kernel.clone(), measured);
        record.save(&path)?;
        println!("recorded in {FILE}");
    } else {
        let exceeded = Record::load(&path)?.exceeded(kernel, &measured, &["xcap direct"]);
        if !exceeded.is_empty() {
            complaints.extend(exceeded);
            complaints.push("if that is meant: xcap-bench check --update".to_owned());
        }
    }
    if !complaints.is_empty() {
        bail!("not as it should be:\n  {}", complaints.join("\n  "));
    }
    Ok(())
}
