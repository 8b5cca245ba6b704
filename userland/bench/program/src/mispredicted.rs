// SPDX-License-Identifier: GPL-2.0

//! What probes do to a processor's prediction of returns, from what the emulator's plugin counted.

use crate::returns::{Load, Run, DEEP, SHALLOW, WINDOWS};
use anyhow::{bail, Context, Result};
use serde::{Deserialize, Serialize};
use xcap_returns::{Window, ENTRIES};

/// For each size in [`ENTRIES`].
pub type BySize = [f64; ENTRIES.len()];

/// More callers than a frame has on its way.
const DEEPEST_FRAME: usize = 32;

const TOLERANCE: f64 = 0.005;

/// Mispredicted returns beyond those of the unprobed run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Mispredicted {
    pub mechanism: String,
    /// The function's own and the probe's.
    pub a_hit: BySize,
    /// Of the function's callers.
    pub an_enclosing_return: BySize,
    /// Of all that a frame's way through the kernel has, for each hit on it.
    pub a_hit_on_a_frame: BySize,
    /// Hits on a frame's way.
    pub hits: f64,
}

/// What a call comes to.
#[derive(Clone, Copy, Debug)]
struct Call {
    load: Load,
    mispredicted: BySize,
    hits: f64,
}

/// Puts together what was called and what was counted.
pub fn mispredicted(runs: &[Run], windows: &[Window]) -> Result<Vec<Mispredicted>> {
    let of_a_run = 2 * WINDOWS;
    if windows.len() != runs.len() * of_a_run {
        bail!(
            "{} windows were recorded, not {} for each of {} runs",
            windows.len(),
            of_a_run,
            runs.len()
        );
    }
    let mut all: Vec<(Option<&str>, Vec<Call>)> = Vec::new();
    for (run, windows) in runs.iter().zip(windows.chunks(of_a_run)) {
        let mechanism = run.mechanism.as_deref();
        if all.last().is_none_or(|(last, _)| *last != mechanism) {
            all.push((mechanism, Vec::new()));
        }
        let (_, calls) = all.last_mut().context("one was put there")?;
        calls.push(call(run, windows));
    }
    let mut all = all.into_iter();
    let (_, unprobed) = all.next().context("nothing was run")?;
    Ok(all
        .map(|(mechanism, calls)| beyond(mechanism.unwrap_or_default(), &calls, &unprobed))
        .collect())
}

fn call(run: &Run, windows: &[Window]) -> Call {
    let [few, many] = run.load.calls();
    let (with_few, with_many) = windows.split_at(WINDOWS);
    let median = |windows: &[Window], size: usize| {
        let mut counts: Vec<u64> = windows.iter().map(|w| w.mispredicted[size]).collect();
        counts.sort_unstable();
        counts[counts.len() / 2] as f64
    };
    Call {
        load: run.load,
        mispredicted: std::array::from_fn(|size| {
            (median(with_many, size) - median(with_few, size)) / f64::from(many - few)
        }),
        hits: run.hits,
    }
}

fn beyond(mechanism: &str, calls: &[Call], unprobed: &[Call]) -> Mispredicted {
    let of = |load: Load| {
        let find = |calls: &[Call]| calls.iter().find(|call| call.load == load).copied();
        let (with, without) = (find(calls)?, find(unprobed)?);
        let beyond =
            std::array::from_fn(|size| with.mispredicted[size] - without.mispredicted[size]);
        Some((beyond, with.hits))
    };
    let none = ([f64::NAN; ENTRIES.len()], f64::NAN);
    let ((shallow, _), (deep, _)) = (
        of(Load::Chain(SHALLOW)).unwrap_or(none),
        of(Load::Chain(DEEP)).unwrap_or(none),
    );
    let (frame, hits) = of(Load::Frame).unwrap_or(none);
    let an_enclosing_return: BySize =
        std::array::from_fn(|size| (deep[size] - shallow[size]) / f64::from(DEEP - SHALLOW));
    Mispredicted {
        mechanism: mechanism.to_owned(),
        a_hit: std::array::from_fn(|size| {
            shallow[size] - f64::from(SHALLOW) * an_enclosing_return[size]
        }),
        an_enclosing_return,
        a_hit_on_a_frame: frame.map(|count: f64| count / hits),
        hits,
    }
}

/// A line for each mechanism and size.
pub fn text(all: &[Mispredicted]) -> String {
    let lines = all.iter().flat_map(|one| {
        ENTRIES.iter().enumerate().map(|(size, entries)| {
            let Mispredicted { mechanism, .. } = one;
            format!(
                "{mechanism:13} mispredicts {:5.2} a hit, {:5.2} an enclosing return, {:5.2} on a frame's way ({entries} entries)\n",
                one.a_hit[size], one.an_enclosing_return[size], one.a_hit_on_a_frame[size],
            )
        })
    });
    lines.collect()
}

/// What xcap's own mechanism may cost a hit, if this is one.
fn allowed(mechanism: &str) -> Option<f64> {
    match mechanism {
        "direct(jump)" => Some(0.0),
        "direct(call)" => Some(1.0),
        _ => None,
    }
}

/// A sentence for each return too many that is mispredicted because of xcap's own mechanism.
pub fn complaints(all: &[Mispredicted]) -> Vec<String> {
    let mut ours = all
        .iter()
        .filter_map(|one| Some((one, allowed(&one.mechanism)?)))
        .peekable();
    if ours.peek().is_none() {
        return vec!["no returns were counted of direct".to_owned()];
    }
    ours.flat_map(|(one, allowed)| {
        ENTRIES.iter().enumerate().flat_map(move |(size, entries)| {
            // Its callers are more than the small stack's entries, and a hit is a call more.
            let on_a_frame = allowed + if *entries < DEEPEST_FRAME { 1.0 } else { 0.0 };
            let counts = [
                ("a hit", one.a_hit[size], allowed),
                ("an enclosing return", one.an_enclosing_return[size], 0.0),
                ("a hit on a frame's way", one.a_hit_on_a_frame[size], on_a_frame),
            ];
            counts.into_iter().filter_map(move |(what, count, allowed)| {
                // Counts that aren't there are too many, too.
                let within = count <= allowed + TOLERANCE;
                (!within).then(|| {
                    format!(
                        "{}: {count:.2} mispredicted returns {what} with a return stack of {entries} entries, not \
                         {allowed:.0}",
                        one.mechanism
                    )
                })
            })
        })
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As many windows as a run has, with so many mispredictions a call, and some besides in each.
    fn windows(load: Load, a_call: BySize) -> impl Iterator<Item = Window> {
        let of = move |calls: u32| Window {
            returns: 1,
            mispredicted: a_call.map(|count| 7 + (count * f64::from(calls)) as u64),
        };
        load.calls()
            .into_iter()
            .flat_map(move |calls| std::iter::repeat_n(of(calls), WINDOWS))
    }

    /// With this mechanism, which costs so much a hit and an enclosing return, where there is one anyway.
    fn found(mechanism: &str, a_hit: f64, an_enclosing_return: f64) -> Vec<Mispredicted> {
        let load = |mechanism: Option<&str>, load, a_call: f64, hits| {
            let mechanism = mechanism.map(str::to_owned);
            let run = Run {
                mechanism,
                load,
                hits,
            };
            (run, windows(load, [1.0 + a_call; ENTRIES.len()]))
        };
        let (shallow, deep) = (Load::Chain(SHALLOW), Load::Chain(DEEP));
        let chain = |depth: u32| a_hit + an_enclosing_return * f64::from(depth);
        let some = Some(mechanism);
        let all = [
            load(None, shallow, 0.0, 0.0),
            load(None, deep, 0.0, 0.0),
            load(None, Load::Frame, 0.0, 0.0),
            load(some, shallow, chain(SHALLOW), 1.0),
            load(some, deep, chain(DEEP), 1.0),
            load(some, Load::Frame, 3.0 * chain(0), 3.0),
        ];
        let (runs, windows): (Vec<_>, Vec<_>) = all.into_iter().unzip();
        let windows: Vec<Window> = windows.into_iter().flatten().collect();
        mispredicted(&runs, &windows).expect("they fit")
    }

    #[test]
    fn hits_and_enclosing_returns_are_told_apart() {
        let found = found("kretprobe", 2.0, 1.0);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].a_hit, [2.0, 2.0]);
        assert_eq!(found[0].an_enclosing_return, [1.0, 1.0]);
        assert_eq!(found[0].a_hit_on_a_frame, [2.0, 2.0]);
    }

    #[test]
    fn each_variant_of_direct_may_cost_what_is_its_own() {
        assert_eq!(complaints(&found("direct(jump)", 0.0, 0.0)), [""; 0]);
        assert_eq!(complaints(&found("direct(call)", 1.0, 0.0)), [""; 0]);
        let said = complaints(&found("direct(jump)", 1.0, 0.0));
        assert!(
            said[0].contains(
                "direct(jump): 1.00 mispredicted returns a hit with a return stack of 16"
            ),
            "{said:?}"
        );
        assert_eq!(complaints(&found("direct(call)", 1.0, 1.0)).len(), 2);
    }

    #[test]
    fn what_was_not_counted_is_no_proof() {
        assert_eq!(complaints(&found("fprobe", 0.0, 0.0)).len(), 1);
        assert!(mispredicted(&[], &[]).is_err());
    }
}
