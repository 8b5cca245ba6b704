// SPDX-License-Identifier: GPL-2.0

//! The paper's findings, each with the claims that decide it.

mod claim;
mod conclusions;
mod copy;
mod costs;
mod decide;
mod interrupt;
mod series;
mod softirq;
mod survivors;
mod table;
mod verdict;

use crate::report::selection::Selection;
use xcap_study::testbed::World;

use claim::Tested;
pub use claim::{Claim, Outcome};
pub use table::{rows, table, FindingRow};
pub use verdict::Verdict;

/// What the paper found, and what is to be said of it now.
pub struct Finding {
    pub letter: char,
    /// Where in the paper.
    pub section: &'static str,
    pub paper: &'static str,
    pub claims: Vec<Claim>,
    /// Ids of the report's figures that show it.
    pub figures: &'static [&'static str],
    pub verdict: Verdict,
    pub why: String,
}

type Claims = fn(&Selection) -> Vec<Claim>;

/// Letter, section, what the paper says, the figures that show it, the claims.
const FINDINGS: [(char, &str, &str, &[&str], Claims); 19] = [
    ('a', "6.1.1", "dom0's interrupt costs most and varies most at w0s0064, above w0s1500.", &["fig-3"], interrupt::at_its_worst),
    (
        'b',
        "6.1.1",
        "With waits, frames of 64 and of 1500 bytes cost nearly the same there, and in the later stages.",
        &["fig-3", "fig-4", "fig-5", "fig-6", "fig-7", "fig-8"],
        interrupt::with_waits,
    ),
    ('c', "6.1.2", "The NIC driver is most of the softirq, and most of its variance.", &["driver", "fig-4"], softirq::driver),
    (
        'd',
        "6.1.3",
        "netback's copy costs more without waits, and at w0s0064 more than all of physical reception.",
        &["fig-7", "per-frame-dom0"],
        copy::to_domu,
    ),
    ('e', "6.1.3", "The notification hypercall costs more without waits, and is worst at w0s1500.", &["fig-8"], copy::notification),
    ('f', "6.2.1", "domU's interrupt is cheaper than dom0's.", &["fig-3", "fig-9"], interrupt::in_both_domains),
    (
        'g',
        "6.2.2",
        "domU's softirq repeats dom0's picture on a smaller scale, with far fewer calls.",
        &["fig-4", "fig-10"],
        softirq::in_both_domains,
    ),
    ('h', "6.2.3", "w0s0064 left aside, the copy to user mode is decided by the frames' size.", &["fig-11"], copy::to_user),
    ('i', "7", "At w0s0064 few frames survive (in the paper 26 of 10,000).", &["losses-xen-pv"], survivors::survivors),
    ('j', "5.3", "Waits longer than 1 µs behave as 1 µs does.", &["fig-4", "fig-11"], conclusions::longer_waits),
    ('k', "5.3", "More than 10,000 frames a run add little to how sure the results are.", &["fig-2a", "fig-2b"], conclusions::more_frames),
    ('l', "6.1.2", "The softirq is the first stage whose cost depends on the frames' size.", &["fig-3", "fig-4"], softirq::first_by_size),
    (
        'm',
        "6.2.1",
        "domU's interrupt costs more without waits, and then most and most variably at w0s0064.",
        &["fig-9"],
        interrupt::in_domu,
    ),
    ('n', "6.2.2", "Frames lost between the domains, above all without waits, are why domU has fewer calls.", &["losses-xen-pv"], survivors::between_domains),
    ('o', "6.2.3", "By the copy to user mode, earlier stages have damped what load does.", &["fig-11", "fig-3"], copy::damped),
    ('p', "7", "Intense traffic degrades all of capture, and more so with small frames.", &["fig-2a", "fig-2b"], conclusions::degradation),
    ('q', "7", "Intense traffic shows the benefit of device polling.", &["fig-3", "per-frame-dom0"], interrupt::polling),
    ('r', "7", "Under load, Xen is a good share of the total cost.", &["self-xen-pv-dom0"], conclusions::xens_share),
    ('s', "7", "The bridge contributes much to the degradation.", &["self-xen-pv-dom0", "fig-5"], conclusions::the_bridge),
];

pub fn all(selection: &Selection) -> Vec<Finding> {
    FINDINGS
        .into_iter()
        .map(|(letter, section, paper, figures, claims)| {
            let mut claims = claims(selection);
            decide::decide(&mut claims);
            let (verdict, mut why) = verdict::judge(&claims);
            if letter == 'i' {
                why.push_str(&survivors::what_the_buffer_does(selection));
            }
            if selection.study.world() == World::Emulated {
                why.push_str(&format!(". Emulated {}: true of this lab, not of hardware; machines of your own could decide that", selection.unit()));
            }
            Finding {
                letter,
                section,
                paper,
                claims,
                figures,
                verdict,
                why: why + ".",
            }
        })
        .collect()
}

impl Finding {
    /// The claim that the verdict rests on: the one that is most surely contradicted, or undecided, or the least sure.
    pub fn weakest(&self) -> Option<&Claim> {
        let of = |pick: fn(&Tested) -> f64| {
            move |claim: &&Claim| claim.tested.as_ref().map_or(-1.0, pick)
        };
        let claims = || self.claims.iter();
        let hold = of(|tested| tested.hold);
        match self.verdict {
            Verdict::DoesNotHold => claims()
                .filter(|claim| claim.outcome == Outcome::Contradicted)
                .max_by(|one, other| {
                    let sure = of(|tested| -tested.against_holm);
                    sure(one).total_cmp(&sure(other))
                }),
            Verdict::CannotTell => claims()
                .filter(|claim| claim.outcome.why_undecided().is_some())
                .max_by(|one, other| hold(one).total_cmp(&hold(other))),
            Verdict::Holds => claims().max_by(|one, other| hold(one).total_cmp(&hold(other))),
        }
    }
}
