// SPDX-License-Identifier: GPL-2.0

//! How it was measured.

use maud::{html, Markup};

use super::parts::section;
use xcap_study::testbed::Unit;

pub fn method(unit: Unit) -> Markup {
    let counted = match unit {
        Unit::Cycles => "TSC cycles",
        Unit::Instructions => "instructions executed, which these machines' TSC counts",
    };
    section(
        "method",
        "Method",
        html! {
            ul {
                li { "xcap times every call of each stage's function from entry to return in " (counted) ", and keeps "
                     "count, sum and sum of squares exactly, as the paper did; and a histogram, the self time, and the work a "
                     "call did. Means are raw; the tables hold them corrected for xcap's own cost beside." }
                li { "Each run: xcap reset in every machine, capture begun, then frames sent; when no counter moves any "
                     "more, xcap is stopped and read. The runs of each repetition are in an order of its own, that a recorded seed decides, and "
                     "in the lab each repetition starts on machines freshly booted." }
                li { "The sender builds one raw Ethernet frame (ethertype X.25) and sends it unchanged; the capturer calls "
                     code { "recvfrom()" } " on an " code { "AF_PACKET" } " socket, one frame a call, and does nothing with it." }
                li { "Intervals in the paper's figures take calls as independent samples, as the paper did: they are "
                     "too narrow where calls of a run are alike. The dots show how far repetitions differ; the verdicts rest on "
                     "repetitions alone." }
                li { "Three kinds of mean: figures of a call are of all calls of all runs; “means of runs” weigh each "
                     "run alike; ratios are geometric. " }
                li { "Where a verdict is “can't be told”, the smallest effect is told that four of five such studies "
                     "would have found, and how many repetitions would find the one that was seen." }
                li { "A variance takes 30 calls, a quantile one call beyond it; runs with fewer are left out, and counted." }
            }
        },
    )
}
