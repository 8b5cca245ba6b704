// SPDX-License-Identifier: GPL-2.0

//! `demo`: one repetition of the study.

use crate::journeys;
use crate::tables::{frames, stages};
use anyhow::Result;
use std::path::Path;
use std::process::ExitCode;
use xcap_lab::cli::DemoOptions;
use xcap_output::print;
use xcap_study::layout::{sweep, Layout};
use xcap_study::load::{self, Run};
use xcap_study::marked;
use xcap_study::run::lab::LabSource;
use xcap_study::run::{run_block, Plan, Progress};
use xcap_study::run_id::{Buffer, Domain, Environment};
use xcap_study::scenario::PAPER;
use xcap_study::testbed::{Unit, World};

pub fn demo(options: &DemoOptions) -> Result<ExitCode> {
    let plan = Plan {
        results: options.results.clone(),
        layout: Layout::Demo,
        environments: vec![Environment::XenPv],
        scenarios: PAPER.to_vec(),
        // What a frame costs is told fairly only where none is dropped half way.
        buffers: vec![Buffer::Large],
        repetitions: 1,
        seed: None,
        most_apart: LabSource::most_apart(options.clock, 2_000),
        frames: options.frames,
        marks: options.marks,
        optional: Vec::new(),
    };
    sweep(&plan.results)?;
    let source = LabSource::prepare(options.clock)?;
    let mut runs = Vec::new();
    let mut journeys = Vec::new();
    for block in plan.blocks() {
        let progress = Progress::new(block.runs.len(), block.runs.len());
        run_block(&plan, &block, &source, &progress)?;
        progress.end();
        for &run in &block.runs {
            runs.push(load::one(&plan.folder(run))?);
            if plan.marks > 0 {
                journeys.push(marked::load(&plan.folder(run))?);
            }
        }
    }
    show(&runs, &plan.results)?;
    journeys::show(&journeys)?;
    Ok(ExitCode::SUCCESS)
}

fn show(runs: &[Run], results: &Path) -> Result<()> {
    let units = runs.iter().map(|run| run.testbed.unit);
    let unit = units.max().unwrap_or_default();
    let word = unit.word();
    for domain in [Domain::Dom0, Domain::DomU] {
        print(&format!(
            "\n{domain}: {word} a call ± 95 % (calls), {word} a frame\n{}\n",
            stages(runs, domain).trim_fmt()
        ))?;
    }
    let worlds = runs.iter().map(|run| run.testbed.world);
    let results = results.display();
    print(&format!(
        "\nframes\n{}\n\n{}\nResults: {results} (the report of them: xcap-paper report --results {results})\n",
        frames(runs).trim_fmt(),
        caveat(unit, worlds.min().unwrap_or(World::Emulated)),
    ))?;
    Ok(())
}

/// What the figures are not.
fn caveat(unit: Unit, world: World) -> &'static str {
    match world {
        World::Emulated if unit == Unit::Instructions => "An instruction is one that the machine executed: exact, whatever the host does; how many cycles it takes, no emulator knows.",
        World::Emulated => "These are cycles of an emulated processor: they compare with each other, not with hardware's.",
        _ => "These are cycles in a virtual machine, its devices emulated: not those of hardware alone.",
    }
}
