// SPDX-License-Identifier: GPL-2.0

//! The paper's findings, each with the claims that decide it.

mod claim;
mod copy;
mod costs;
mod decide;
mod interrupt;
mod series;
mod softirq;
mod survivors;
mod verdict;

use crate::report::selection::Selection;
use crate::tables::{Cell, Table};
use xcap_study::testbed::World;

pub use claim::{Claim, Outcome};
pub use verdict::Verdict;

/// What the paper found, and what is to be said of it now.
pub struct Finding {
    pub letter: char,
    pub paper: &'static str,
    pub claims: Vec<Claim>,
    /// Ids of the report's figures that show it.
    pub figures: &'static [&'static str],
    pub verdict: Verdict,
    pub why: String,
}

pub fn all(selection: &Selection) -> Vec<Finding> {
    let of = |letter, paper, figures, claims| finding(selection, letter, paper, figures, claims);
    vec![
        of('a', "dom0's interrupt costs most and varies most at w0s0064, above w0s1500.", &["fig-3"], interrupt::at_its_worst(selection)),
        of(
            'b',
            "With waits, frames of 64 and of 1500 bytes cost nearly the same there, and in the later stages.",
            &["fig-3", "fig-4", "fig-5", "fig-6", "fig-7", "fig-8"],
            interrupt::with_waits(selection),
        ),
        of('c', "The NIC driver is most of the softirq, and most of its variance.", &["driver", "fig-4"], softirq::driver(selection)),
        of(
            'd',
            "netback's copy costs more without waits, and at w0s0064 more than all of physical reception.",
            &["fig-7", "per-frame-dom0"],
            copy::to_domu(selection),
        ),
        of('e', "The notification hypercall is worst at w0s1500.", &["fig-8"], copy::notification(selection)),
        of('f', "domU's interrupt is cheaper than dom0's.", &["fig-3", "fig-9"], interrupt::in_both_domains(selection)),
        of(
            'g',
            "domU's softirq repeats dom0's picture on a smaller scale, with far fewer calls.",
            &["fig-4", "fig-10"],
            softirq::in_both_domains(selection),
        ),
        of('h', "The copy to user mode is decided by the frames' size.", &["fig-11"], copy::to_user(selection)),
        of('i', "At w0s0064 few frames survive (in the paper 26 of 10,000).", &["losses-xen-pv"], survivors::survivors(selection)),
    ]
}

fn finding(
    selection: &Selection,
    letter: char,
    paper: &'static str,
    figures: &'static [&'static str],
    claims: Vec<Claim>,
) -> Finding {
    let (verdict, mut why) = verdict::judge(&claims);
    if letter == 'i' {
        why.push_str(&survivors::what_the_buffer_does(selection));
    }
    if selection.study.world() == World::Emulated {
        why.push_str(". Emulated cycles: true of this lab, not of hardware");
    }
    Finding {
        letter,
        paper,
        claims,
        figures,
        verdict,
        why: why + ".",
    }
}

/// All claims, for the files.
pub fn table(findings: &[Finding]) -> Table {
    let mut table = Table::new(&["finding", "verdict", "claim", "figures", "test", "outcome"]);
    for finding in findings {
        for claim in &finding.claims {
            table.push(vec![
                Cell::text(finding.letter.to_string()),
                Cell::text(finding.verdict.words()),
                Cell::text(&claim.text),
                Cell::text(&claim.values),
                Cell::text(&claim.test),
                Cell::text(claim.outcome.word()),
            ]);
        }
    }
    table
}
