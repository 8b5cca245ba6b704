// SPDX-License-Identifier: GPL-2.0

//! Sections of figures.

use std::slice::from_ref;

use maud::{html, Markup};

use super::parts::{figures, section, table};
use crate::numbers::whole;
use crate::report::model::Report;
use crate::ways::{answers, captured, table as ways_table};
use xcap_study::run_id::Buffer;
use xcap_study::testbed::Unit;

pub fn paper(report: &Report) -> Markup {
    section(
        "paper",
        "The paper's figures",
        html! {
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
            (figures(from_ref(&report.driver)))
        },
    )
}

pub fn frames(report: &Report) -> Markup {
    section(
        "frames",
        "Where the frames were lost",
        html! {
            p { "Each frame is followed by the counters of every hop: sent → NIC → bridge → vif queue → "
                "netfront → socket → captured." }
            (figures(&report.losses))
        },
    )
}

pub fn journeys(report: &Report) -> Markup {
    let journeys = &report.journeys;
    let against: Vec<_> = journeys.iter().map(|of| of.against.clone()).collect();
    html! { @if !journeys.is_empty() {
        (section(
            "journeys",
            "Where a frame waits",
            html! {
                p { "After each run, numbered frames were sent, which left marks in each domain. Marks cost time "
                    "at every place, so that these are runs of their own; the other figures hold none of them. "
                    "Times are in " (report.selection.unit())
                    @if report.selection.study.unit() == Unit::Instructions {
                        ": the clock of these machines counts instructions, and while they have none to execute "
                        "it goes on as if they had"
                    }
                    "." }
                (figures(&against))
                @for of in journeys {
                    h3 { (of.scenario) }
                    ul { @for line in &of.lines { li { (line) } } }
                    details open[of.lines.len() == 1] {
                        summary { "Single frames, and some that followed one another" }
                        (figures(&of.frames))
                    }
                }
            },
        ))
    } }
}

pub fn cost(report: &Report) -> Markup {
    section(
        "cost",
        "What a frame costs",
        html! {
            p { "Interrupts, polls, copies and notifications handle many frames a call; only the cost "
                "of a frame compares them. "
                @if report.selection.lossless().buffer == Buffer::Large {
                    "These are of runs with a large socket buffer, in which (nearly) every frame is "
                    "captured: a frame that is dropped half way costs less, and captures nothing."
                } }
            (figures(&report.per_frame))
            h3 { "Self time" }
            (figures(&report.self_time))
            h3 id="model" { "A model of each stage" }
            p { "Self time a frame, less what the probes cost, fitted by least squares in each repetition: " (report.selection.unit()) " = a call "
                "× calls + a wake-up × wake-ups + a frame × frames + a byte × bytes; means and 95 % intervals over repetitions. Where every frame is a "
                "call, a call's is in the frame's. Delivery wakes the program where it sleeps in its call, netback its thread. What the model leaves "
                "is the root mean square of what it doesn't explain, of the mean: where that is much, the stage isn't so simple. Calls that slept have no self time, and aren't in it." }
            (table(&report.model, "cost-model"))
            h3 id="budget" { "All that the machine did" }
            @if report.budgets.is_empty() {
                p.muted { "These runs were recorded without the kernel's accounts of its CPUs' time: xcap-paper run makes runs with them." }
            }
            (figures(&report.budgets))
        },
    )
}

pub fn loads(report: &Report) -> Markup {
    section(
        "loads",
        "From idle to overload, and what measuring costs",
        html! {
            @if report.sweep.is_empty() {
                p.muted { "No rates were swept: " code { "xcap-paper sweep" } " does." }
            }
            (figures(&report.sweep))
            h3 id="measuring" { "What measuring costs the capture" }
            @if report.measuring.is_empty() {
                p.muted { "That wasn't measured: " code { "xcap-paper overhead" } " does." }
            }
            (figures(&report.measuring))
        },
    )
}

pub fn ways(report: &Report) -> Markup {
    section(
        "ways",
        "What should I use?",
        html! {
            @if let Some(ways) = &report.ways {
                p { "Each way of capturing under the same loads, with nothing that measures: instructions of the whole "
                    "machine for each frame that was captured, the kernel's (the hypervisor's with it) and the program's, "
                    "less what an idle machine executes; and the time from the wire until the program has the frame, in "
                    "instructions too, of which waits for nothing are a part. Buffers and rings have "
                    (whole(ways.buffer_bytes)) " bytes." }
                ul { @for answer in answers(ways) { li { (answer) } } }
                (table(&ways_table(ways), "ways"))
                h3 { "Captured at each rate" }
                (table(&captured(ways), "ways-captured"))
            } @else {
                p.muted { "Ways of capturing weren't compared: " code { "xcap-paper ways" } " does." }
            }
        },
    )
}

pub fn distributions(report: &Report) -> Markup {
    section(
        "distributions",
        "Distributions",
        html! { (figures(&report.distributions)) },
    )
}

pub fn future(report: &Report) -> Markup {
    section(
        "future",
        "The paper's future work",
        html! {
            h3 { "Why copy and notification vary so much" }
            @if report.answers.is_empty() {
                p { "Can't be told here: no calls of them were recorded." }
            }
            ul { @for answer in &report.answers { li { (answer) } } }
            (table(&report.variation, "variation"))
            h3 { "Virtualised against not" }
            p { "Self time of all stages that are timed, native and in both of Xen's domains, " (report.selection.unit()) " a frame "
                "that came to the card, less what the probes cost and what an idle machine does in as long a time where that "
                "was recorded. Sleeping calls, the scheduler and the hypervisor are not in it: see the budget"
                @if report.selection.lossless().buffer == Buffer::Large { ", with a large socket buffer" } "." }
            (table(&report.overhead, "virtualised-or-not"))
            @if report.native.is_empty() {
                p.muted { "Stage by stage: there are no runs of both to compare." }
            }
            (figures(&report.native))
        },
    )
}
