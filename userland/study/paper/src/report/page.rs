// SPDX-License-Identifier: GPL-2.0

//! The page: one file, nothing fetched.

use std::collections::BTreeSet;

use maud::{html, Markup, PreEscaped, DOCTYPE};

use super::findings::{Finding, Outcome, Verdict};
use super::model::Report;
use super::selection::world_word;
use crate::figure::{theme, Figure};
use crate::numbers::whole;
use crate::tables::{Cell, Table};
use xcap_study::load::Run;
use xcap_study::role::Role;
use xcap_study::run_id::Buffer;
use xcap_study::testbed::World;

const TITLE: &str = "What packet capture costs in Xen, stage by stage";

pub fn page(report: &Report) -> String {
    let world = report.selection.study.world();
    let class = if world == World::Emulated {
        "emulated"
    } else {
        "real"
    };
    html! {
        (DOCTYPE)
        html lang="en" class=(class) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (TITLE) }
                link rel="icon" href="data:,";
                style { (PreEscaped(theme::style())) (PreEscaped(include_str!("style.css"))) }
            }
            body {
                header {
                    h1 { (TITLE) }
                    p.lead {
                        "The study of Teodoro and Macambira, “Análise do custo de captura de pacotes no ambiente "
                        "virtualizado Xen” (UFMG), made again with xcap."
                    }
                    (banner(report))
                    (key_numbers(report))
                    (navigation())
                }
                main {
                    (summary(report))
                    (section("paper", "The paper's figures", html! {
                        p { "Four scenarios: frames of 64 or of 1500 bytes, sent without a pause ("
                            code { "w0s0064" } ", " code { "w0s1500" } ") or with 1 µs between them ("
                            code { "w1s0064" } ", " code { "w1s1500" } "). Hue tells the size, strength the wait. "
                            "All are of " (report.selection.environment.label()) ", with the socket buffer "
                            @match report.selection.buffer {
                                Buffer::System => "as the system gives it, as in the paper.",
                                Buffer::Large => "large.",
                            }
                        }
                        div.two { (figures(&report.paper[..2])) }
                        (figures(&report.paper[2..]))
                        h3 { "The NIC driver, derived and measured" }
                        (figures(std::slice::from_ref(&report.driver)))
                    }))
                    (findings(report))
                    (section("frames", "Where the frames were lost", html! {
                        p { "Each frame is followed by the counters of every hop: sent → NIC → bridge → vif queue → "
                            "netfront → socket → captured." }
                        (figures(&report.losses))
                    }))
                    (section("cost", "What a frame costs", html! {
                        p { "Interrupts, polls, copies and notifications handle many frames a call; only the cost "
                            "of a frame compares them. "
                            @if report.selection.lossless().buffer == Buffer::Large {
                                "These are of runs with a large socket buffer, in which (nearly) every frame is "
                                "captured: a frame that is dropped half way costs less, and captures nothing."
                            } }
                        (figures(&report.per_frame))
                        h3 { "Self time" }
                        (figures(&report.self_time))
                    }))
                    (section("distributions", "Distributions", html! { (figures(&report.distributions)) }))
                    (section("future", "The paper's future work", html! {
                        h3 { "Why copy and notification vary so much" }
                        @if report.answers.is_empty() {
                            p { "Can't be told here: no calls of them were recorded." }
                        }
                        ul { @for answer in &report.answers { li { (answer) } } }
                        (table(&report.variation, "variation"))
                        h3 { "Virtualised against not" }
                        p { "All self time that capturing one frame takes, native and in both of Xen's domains, "
                            "cycles a frame that came to the machine" 
                            @if report.selection.lossless().buffer == Buffer::Large { ", with a large socket buffer" } "." }
                        (table(&report.overhead, "virtualised-or-not"))
                        @if report.native.is_empty() {
                            p.muted { "Stage by stage: there are no runs of both to compare." }
                        }
                        (figures(&report.native))
                    }))
                    (conditions(report))
                    (method())
                }
                footer {
                    p { "Made by xcap-paper " (env!("CARGO_PKG_VERSION")) " from the files beside this page: "
                        code { "figures/*.svg" } ", " code { "tables/*.csv" } ", " code { "tables/*.md" }
                        ", and each run's " code { "before/" } ", " code { "after/" } ", " code { "frames.json" } " and "
                        code { "environment.json" } "." }
                }
            }
        }
    }
    .into_string()
    // A number and its sign stay on one line.
    .replace(" %", "\u{a0}%")
}

fn banner(report: &Report) -> Markup {
    let world = report.selection.study.world();
    html! {
        p.world {
            strong { (world_word(world)) } " — "
            @match world {
                World::Emulated => {
                    "these are cycles of machines whose instructions software runs (QEMU's TCG). They compare with "
                    "each other, not with hardware: what is dear under emulation (page-table switches above all) may be "
                    "cheap on a CPU, and the other way round."
                }
                World::Virtual => "these are cycles of virtual machines on real CPUs; leaving and entering the guest is in them.",
                World::Real => "these are cycles of real CPUs, with a real cable.",
            }
            @if report.selection.study.has_two_worlds() {
                " Some runs are of another world than this: see the conditions below."
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
                  span { "findings hold here; " (held(Verdict::DoesNotHold)) " don't, "
                         (held(Verdict::CannotTell)) " can't be told" } }
        }
    }
}

fn navigation() -> Markup {
    html! {
        nav { ul {
            @for (id, name) in [
                ("summary", "Verdicts"), ("paper", "The paper's figures"), ("findings", "Findings"),
                ("frames", "Frames"), ("cost", "Cost a frame"), ("distributions", "Distributions"),
                ("future", "Future work"), ("conditions", "Conditions"), ("method", "Method"),
            ] {
                li { a href={ "#" (id) } { (name) } }
            }
        } }
    }
}

fn section(id: &str, title: &str, body: Markup) -> Markup {
    html! { section id=(id) { h2 { (title) } (body) } }
}

fn verdict(verdict: Verdict) -> Markup {
    let class = match verdict {
        Verdict::Holds => "verdict holds",
        Verdict::DoesNotHold => "verdict doesnt",
        Verdict::CannotTell => "verdict unsure",
    };
    html! { span class=(class) { (verdict.words()) } }
}

fn summary(report: &Report) -> Markup {
    section(
        "summary",
        "The paper's findings, and what holds here",
        html! {
            div.findings { table.summary { tbody {
                @for finding in &report.findings {
                    tr {
                        td { (finding.letter) }
                        td { a href={ "#finding-" (finding.letter) } { (finding.paper) } }
                        td { (verdict(finding.verdict)) }
                    }
                }
            } } }
        },
    )
}

fn findings(report: &Report) -> Markup {
    section(
        "findings",
        "The findings, one by one",
        html! {
            p { "Repetitions are the samples of every test: calls within a run depend on each other. Ratios are tested "
                "by Student's t test on the logarithms of figures of the same repetition, two-sided at 5 %; “nearly the "
                "same” by two one-sided tests with ±10 %; shares by Student's t test against their bound. A finding "
                "holds if all its claims do, and doesn't if the opposite of one is seen." }
            div.findings { @for finding in &report.findings { (one_finding(finding)) } }
        },
    )
}

fn one_finding(finding: &Finding) -> Markup {
    html! {
        article id={ "finding-" (finding.letter) } {
            h3 { span.letter { "(" (finding.letter) ")" } (finding.paper) }
            p { (verdict(finding.verdict)) ": " (finding.why) " "
                span.muted { "See "
                    @for (at, figure) in finding.figures.iter().enumerate() {
                        @if at > 0 { ", " }
                        a href={ "#" (figure) } { (figure_name(figure)) }
                    }
                    "."
                }
            }
            table.claims {
                thead { tr { th { "claim" } th { "figures" } th { "test" } th { } } }
                tbody { @for claim in &finding.claims {
                    tr {
                        td { (claim.text) }
                        td { (claim.values) }
                        td { (claim.test) }
                        td { (outcome(&claim.outcome)) }
                    }
                } }
            }
        }
    }
}

fn figure_name(id: &str) -> String {
    match id {
        "driver" => "the NIC driver, derived and measured".into(),
        "per-frame-dom0" => "dom0: cycles a frame".into(),
        id if id.starts_with("losses") => "where frames were lost".into(),
        id => format!("Fig. {}", id.trim_start_matches("fig-")),
    }
}

fn outcome(outcome: &Outcome) -> Markup {
    let (class, word) = match outcome {
        Outcome::Holds => ("verdict holds", "holds"),
        Outcome::Contradicted => ("verdict doesnt", "the opposite"),
        Outcome::Undecided(_) => ("verdict unsure", "undecided"),
    };
    html! { span class=(class) { (word) } }
}

fn figures(figures: &[Figure]) -> Markup {
    html! {
        div.figures { @for figure in figures {
            figure id=(figure.id) {
                (PreEscaped(&figure.svg))
                figcaption {
                    (figure.note)
                    details { summary { "The figures" } (table(&figure.table, &figure.id)) }
                }
            }
        } }
    }
}

fn table(table: &Table, id: &str) -> Markup {
    let numeric = |column: usize| {
        table
            .rows
            .iter()
            .any(|row| matches!(row.get(column), Some(Cell::Number(..))))
    };
    let class = |column| numeric(column).then_some("n");
    html! {
        div.wide tabindex="0" role="region" aria-label={ "Table " (id) } {
            table data-table=(id) {
                thead { tr { @for (at, column) in table.columns.iter().enumerate() {
                    th class=[class(at)] { (column) }
                } } }
                tbody { @for row in &table.rows {
                    tr { @for (at, cell) in row.iter().enumerate() {
                        @match cell {
                            Cell::Number(value, shown) => td class="n" data-value=(value) { (shown) },
                            other => td class=[class(at)] { (other.shown()) },
                        }
                    } }
                } }
            }
        }
    }
}

fn conditions(report: &Report) -> Markup {
    let study = report.selection.study;
    let mut table_of_machines = Table::new(&[
        "environment",
        "machine",
        "kernel",
        "CPU",
        "CPUs",
        "Xen",
        "QEMU",
        "clock",
        "card's driver",
        "TSC, MHz",
        "probe's floor (direct, hot)",
    ]);
    let mut seen = BTreeSet::new();
    for run in &study.runs {
        for (role, machine) in &run.testbed.machines {
            if !seen.insert((
                run.id.environment,
                *role,
                machine.kernel.clone(),
                machine.cpu.clone(),
            )) {
                continue;
            }
            let stats = run
                .stats
                .iter()
                .find(|(domain, _)| Role::from(**domain) == *role)
                .map(|(_, stats)| stats);
            let floor = stats.and_then(|stats| {
                let cost = stats
                    .costs
                    .iter()
                    .find(|cost| cost.backend == "direct" && cost.cache == "hot")?;
                (cost.samples > 0).then(|| cost.inside as f64 / cost.samples as f64)
            });
            let lab = run.testbed.lab.as_ref();
            table_of_machines.push(vec![
                Cell::text(run.id.environment.label()),
                Cell::text(*role),
                Cell::text(&machine.kernel),
                Cell::text(&machine.cpu),
                Cell::count(machine.cpus as u64),
                Cell::text(machine.xen.as_deref().unwrap_or("–")),
                Cell::text(lab.map_or("–".to_owned(), |lab| {
                    format!("{}, {}", lab.qemu, lab.accelerator)
                })),
                Cell::text(machine.clocksource.as_deref().unwrap_or("–")),
                Cell::text(machine.driver.as_deref().unwrap_or("–")),
                Cell::rounded(stats.map(|stats| stats.tsc_khz as f64 / 1000.0)),
                Cell::rounded(floor),
            ]);
        }
    }
    section(
        "conditions",
        "Conditions",
        html! {
            p { (period(&study.runs)) }
            (table(&table_of_machines, "machines"))
            @let warnings = warnings(&study.runs);
            @if !warnings.is_empty() {
                h3 { "What xcap warned of" }
                ul { @for (warning, runs) in warnings { li { (warning) " " span.muted { "(" (runs) " readings)" } } } }
            }
        },
    )
}

/// Each warning once, without the figures that differ from run to run.
fn warnings(runs: &[Run]) -> Vec<(String, usize)> {
    let mut found: Vec<(String, usize)> = Vec::new();
    for stats in runs.iter().flat_map(|run| run.stats.values()) {
        for warning in xcap_stats::Report::new(stats, xcap_stats::Options::default()).warnings {
            // Each capture ends in a recvfrom that `stop` cuts off.
            if warning.contains("straddled") {
                continue;
            }
            let kind: String = warning
                .trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ')
                .to_owned();
            match found.iter_mut().find(|(known, _)| *known == kind) {
                Some((_, readings)) => *readings += 1,
                None => found.push((kind, 1)),
            }
        }
    }
    found.sort_by_key(|(_, readings)| std::cmp::Reverse(*readings));
    found.truncate(12);
    found
}

fn period(runs: &[Run]) -> String {
    let times = || runs.iter().map(|run| run.testbed.began);
    let date = |seconds: Option<u64>| {
        let stamp = seconds.and_then(|seconds| jiff::Timestamp::from_second(seconds as i64).ok());
        stamp.map_or("an unknown time".into(), |stamp| {
            stamp.strftime("%Y-%m-%d %H:%M UTC").to_string()
        })
    };
    let frames: BTreeSet<u64> = runs.iter().map(|run| run.frames.frames).collect();
    let frames: Vec<String> = frames.into_iter().map(whole).collect();
    format!(
        "Recorded from {} to {}, {} frames a run.",
        date(times().min()),
        date(times().max()),
        frames.join(" or ")
    )
}

fn method() -> Markup {
    section(
        "method",
        "Method",
        html! {
            ul {
                li { "xcap times every call of each stage's function from entry to return in TSC cycles, and keeps "
                     "count, sum and sum of squares exactly, as the paper did; and a histogram, the self time, and the work a "
                     "call did. Means are raw; the tables hold them corrected for xcap's own cost beside." }
                li { "Each run: xcap reset in every machine, capture begun, then frames sent; when no counter moves any "
                     "more, xcap is stopped and read. Repetitions are interleaved over environments and scenarios, and "
                     "in the lab each starts on machines freshly booted." }
                li { "The sender builds one raw Ethernet frame (ethertype X.25) and sends it unchanged; the capturer calls "
                     code { "recvfrom()" } " on an " code { "AF_PACKET" } " socket, one frame a call, and does nothing with it." }
                li { "Intervals in the paper's figures take calls as independent samples, as the paper did: they are "
                     "too narrow where calls of a run are alike. The dots show how far repetitions differ; the verdicts rest on "
                     "repetitions alone." }
                li { "No correction is made for the number of claims: of twenty true nulls, one test will err at 5 %." }
            }
        },
    )
}
