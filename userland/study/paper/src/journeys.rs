// SPDX-License-Identifier: GPL-2.0

//! Journeys of runs, as text, JSON, CSV or a trace.

use std::path::Path;

use anyhow::{bail, Context, Result};
use serde_json::{json, Value};
use xcap_journeys::rows::Rows;
use xcap_journeys::summary::Summary;
use xcap_journeys::{told, trace as as_trace};
use xcap_machines::files::replace;
use xcap_output::print;
use xcap_study::load;
use xcap_study::marked::{self, Marked};
use xcap_study::placed::{self, Placed};

/// Those of all runs below a folder that were marked; an error if none was.
pub fn marked(results: &Path) -> Result<Vec<Marked>> {
    let runs = any_marked(results)?;
    if runs.is_empty() {
        bail!(
            "no run at '{}' has marks: xcap-paper run --marks 1000 and xcap-lab demo record some",
            results.display()
        );
    }
    Ok(runs)
}

/// The same, if there are any.
pub fn any_marked(results: &Path) -> Result<Vec<Marked>> {
    let folders = load::folders(results)?;
    let mut runs = Vec::new();
    for folder in folders.iter().filter(|folder| marked::is_there(folder)) {
        runs.push(marked::load(folder)?);
    }
    runs.sort_by_key(|marked| marked.frames.run);
    Ok(runs)
}

pub fn text(runs: &[Marked]) -> Result<()> {
    for marked in runs {
        let summary = Summary::new(&marked.analysis);
        let mut text = format!("{}: {}\n", marked.frames.run, told::line(&summary));
        for line in [told::clock(&summary), told::socket(&summary)]
            .into_iter()
            .flatten()
        {
            text += &format!("  {line}\n");
        }
        for line in told::faults(&summary) {
            text += &format!("  {line}\n");
        }
        // Without counters to compare with, what marks say alone.
        let mut lost: Vec<String> = placed::losses(marked).iter().map(Placed::told).collect();
        if lost.is_empty() {
            lost = told::losses(&summary);
        }
        for line in lost {
            text += &format!("  {line}\n");
        }
        print(&text)?;
    }
    Ok(())
}

/// An object a run; one run's alone where there is only one.
pub fn json(runs: &[Marked]) -> Result<()> {
    let object = |marked: &Marked| -> Result<Value> {
        let mut object = serde_json::to_value(Summary::new(&marked.analysis))?;
        object["run"] = json!(marked.frames.run.to_string());
        Ok(object)
    };
    let all = runs.iter().map(object).collect::<Result<Vec<_>>>()?;
    let text = match &all[..] {
        [one] => serde_json::to_string_pretty(one)?,
        all => serde_json::to_string_pretty(all)?,
    };
    Ok(print(&(text + "\n"))?)
}

pub fn csv(runs: &[Marked]) -> Result<()> {
    let mut table = Vec::new();
    let mut rows = Rows::new(&mut table)?;
    for marked in runs {
        rows.add(&marked.frames.run.to_string(), &marked.analysis)?;
    }
    drop(rows);
    Ok(print(&String::from_utf8(table)?)?)
}

/// A trace is of one run.
pub fn trace(runs: &[Marked], path: &Path) -> Result<()> {
    let [run] = runs else {
        let all: Vec<String> = runs.iter().map(|run| run.frames.run.to_string()).collect();
        bail!(
            "a trace is of one run, and here are {}: name its folder",
            all.join(", ")
        );
    };
    let mut text = Vec::new();
    as_trace::write(&run.analysis, &run.recordings, &mut text)?;
    replace(path, text).with_context(|| format!("the trace of {}", run.frames.run))
}
