// SPDX-License-Identifier: GPL-2.0

//! What stands above the sections.

use std::collections::BTreeSet;

use maud::{html, Markup};

use crate::numbers::whole;
use crate::report::findings::Verdict;
use crate::report::model::Report;
use crate::report::selection::world_word;
use xcap_study::testbed::{Unit, World};

pub fn header(report: &Report, title: &str) -> Markup {
    html! {
        header {
            h1 { (title) }
            p.lead {
                "The study of Teodoro and Macambira, “Análise do custo de captura de pacotes no ambiente "
                "virtualizado Xen” (UFMG), made again with xcap."
            }
            (banner(report))
            (key_numbers(report))
            (navigation(report))
        }
    }
}

fn banner(report: &Report) -> Markup {
    let study = report.selection.study;
    let world = study.world();
    html! {
        p.world {
            strong { (world_word(world)) } " — "
            @match world {
                World::Emulated if study.unit() == Unit::Instructions => {
                    "these are instructions that emulated machines executed (QEMU's TCG), exact whatever the host does; "
                    "how many cycles they take, no emulator knows. They compare with each other, not with hardware: what "
                    "takes few of them (switching page tables above all) may be dear on a CPU, and the other way round."
                }
                World::Emulated => {
                    "these are cycles of machines whose instructions software runs (QEMU's TCG). They compare with "
                    "each other, not with hardware: what is dear under emulation (page-table switches above all) may be "
                    "cheap on a CPU, and the other way round."
                }
                World::Virtual => "these are cycles of virtual machines on real CPUs; leaving and entering the guest is in them.",
                World::Real => {
                    "these are ticks of the TSC of machines that don't say that they are virtual; a cable is taken for granted. "
                    "A tick is no core cycle where the frequency changes."
                }
            }
            @if study.has_two_worlds() {
                " Some runs are of another world than this: see the conditions below."
            }
            @if study.has_two_units() {
                " Some runs count instructions, others cycles: don't compare the two."
            }
        }
    }
}

fn key_numbers(report: &Report) -> Markup {
    let study = report.selection.study;
    let sent: u64 = study.runs.iter().map(|run| run.frames.sent).sum();
    let repetitions: BTreeSet<u32> = study.runs.iter().map(|run| run.id.repetition).collect();
    let missed: u64 = study
        .runs
        .iter()
        .flat_map(|run| run.stats.values())
        .flat_map(|stats| &stats.stages)
        .map(|stage| stage.missed_pool + stage.missed_busy + stage.missed_negative)
        .sum();
    let held = |verdict| {
        report
            .findings
            .iter()
            .filter(|finding| finding.verdict == verdict)
            .count()
    };
    html! {
        div.numbers {
            div { b { (whole(study.runs.len() as u64)) } span {
                "runs, " @if repetitions.len() == 1 { "one repetition: no test decides" } @else { (repetitions.len()) " repetitions" }
            } }
            div { b { (whole(sent)) } span { "frames sent" } }
            div { b { (whole(missed)) } span { "calls that the probes missed" } }
            div { b { (held(Verdict::Holds)) " of " (report.findings.len()) }
                  span { "findings hold here (" (world_word(study.world())) "); " (held(Verdict::DoesNotHold)) " don't, "
                         (held(Verdict::CannotTell)) " can't be told" } }
        }
    }
}

fn navigation(report: &Report) -> Markup {
    let there = |id: &str| match id {
        "journeys" => !report.journeys.is_empty(),
        _ => true,
    };
    let all = [
        ("summary", "Verdicts"),
        ("paper", "The paper's figures"),
        ("findings", "Findings"),
        ("frames", "Frames"),
        ("journeys", "Waits"),
        ("cost", "Cost a frame"),
        ("ways", "Ways of capturing"),
        ("loads", "Other loads"),
        ("distributions", "Distributions"),
        ("future", "Future work"),
        ("conditions", "Conditions"),
        ("method", "Method"),
    ];
    html! {
        nav { ul {
            @for (id, name) in all.into_iter().filter(|(id, _)| there(id)) {
                li { a href={ "#" (id) } { (name) } }
            }
        } }
    }
}
