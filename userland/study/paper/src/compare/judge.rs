// SPDX-License-Identifier: GPL-2.0

//! The effect on one stage, and what all effects say together.

use xcap_stats::{holm, Effect, TooFew};
use xcap_study::load::Run;
use xcap_study::run_id::Domain;

use super::figure::{figure, Place};
use super::format::{Line, Question, Verdict};
use crate::own_cycles::Floor;
use crate::repetitions::{ALPHA, POWER};

/// The runs of both folders, and which of them are looked at.
pub struct Sides<'a> {
    pub old: &'a [Run],
    pub new: &'a [Run],
    pub group: &'a [Place],
}

/// Logarithms of a figure in the runs of one kind, of both folders.
struct Logarithms {
    old: Vec<f64>,
    new: Vec<f64>,
    /// Runs that have no such figure.
    without: usize,
}

impl Logarithms {
    fn of(sides: &Sides, place: &Place, domain: Domain, stage: &str, floor: Floor) -> Self {
        let mut without = 0;
        let mut of = |runs: &[Run]| -> Vec<f64> {
            let figures = place
                .runs(runs)
                .map(|run| figure(run, domain, stage, floor));
            let (some, none): (Vec<_>, Vec<_>) = figures.partition(Option::is_some);
            without += none.len();
            some.into_iter().flatten().map(f64::ln).collect()
        };
        Self {
            old: of(sides.old),
            new: of(sides.new),
            without,
        }
    }
}

/// The line of a stage; none, where neither folder has figures of it.
pub fn judge(
    sides: &Sides,
    domain: Domain,
    stage: &str,
    question: &Question,
    left_out: &mut Vec<String>,
) -> Option<Line> {
    let all = |floor| -> Vec<Logarithms> {
        let of = |place| Logarithms::of(sides, place, domain, stage, floor);
        sides.group.iter().map(of).collect()
    };
    let [least, most] = Floor::ALL.map(all);
    for (place, here) in sides.group.iter().zip(&least) {
        let runs = match here.without {
            0 => continue,
            1 => "1 run has".to_owned(),
            runs => format!("{runs} runs have"),
        };
        left_out.push(format!(
            "{} {domain} {stage}: {runs} no self time of it",
            place.words()
        ));
    }
    // Where one folder has no such calls at all, there is no ratio.
    let both: Vec<&Logarithms> = least
        .iter()
        .filter(|here| !here.old.is_empty() && !here.new.is_empty())
        .collect();
    if both.is_empty() {
        return None;
    }
    let average = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let mean = |of: fn(&Logarithms) -> &Vec<f64>| {
        let each: Vec<f64> = both.iter().map(|here| average(of(here))).collect();
        average(&each)
    };
    let (old, new) = (mean(|here| &here.old), mean(|here| &here.new));
    let effects: Vec<Effect> = [&least, &most]
        .into_iter()
        .filter_map(|floor| effect(floor).ok())
        .collect();
    let known = !effects.is_empty();
    let most_of = |of: &dyn Fn(&Effect) -> f64| {
        known.then(|| effects.iter().map(of).fold(f64::MIN, f64::max))
    };
    let (low, high) = (
        (1.0 / (1.0 + question.margin)).ln(),
        (1.0 + question.margin).ln(),
    );
    let exceeds = question.fail_above.map(|part| (1.0 + part).ln());
    let level = 100.0 * (1.0 - ALPHA);
    let one = sides.group.len() == 1;
    Some(Line {
        environment: sides.group[0].environment,
        scenario: one.then(|| sides.group[0].scenario.to_string()),
        buffer: one.then(|| sides.group[0].buffer),
        domain,
        stage: stage.to_owned(),
        old_runs: both.iter().map(|here| here.old.len()).sum(),
        new_runs: both.iter().map(|here| here.new.len()).sum(),
        old: old.exp(),
        new: new.exp(),
        ratio: (new - old).exp(),
        low: most_of(&|effect| -effect.interval(level).0).map(|low| (-low).exp()),
        high: most_of(&|effect| effect.interval(level).1).map(f64::exp),
        p: most_of(&|effect| effect.p(0.0)),
        p_holm: None,
        p_same: most_of(&|effect| effect.p_within(low, high)),
        detectable: most_of(&|effect| effect.detectable(ALPHA, POWER)).map(f64::exp),
        p_exceeds: match (exceeds, question.strict) {
            (Some(bound), false) => most_of(&|effect| effect.p_above(bound)),
            (Some(bound), true) => most_of(&|effect| effect.p_below(bound)),
            (None, _) => None,
        },
        verdict: Verdict::TooFewRuns,
        exceeds: false,
    })
}

/// The mean of what each kind of runs says: NEW less OLD, of logarithms.
fn effect(each: &[Logarithms]) -> Result<Effect, TooFew> {
    let there = each
        .iter()
        .filter(|here| !here.old.is_empty() && !here.new.is_empty());
    let effects: Vec<Effect> = there
        .map(|here| Effect::of_difference(&here.new, &here.old))
        .collect::<Result<_, _>>()?;
    if effects.is_empty() {
        return Err(TooFew::None);
    }
    Ok(Effect::sum(&effects).times(1.0 / effects.len() as f64))
}

/// Verdicts, which take all lines: each is a test, and one of them is soon wrong by chance.
pub fn together(lines: &mut [Line], question: &Question) {
    let known: Vec<usize> = (0..lines.len())
        .filter(|&at| lines[at].p.is_some())
        .collect();
    let adjusted = |of: fn(&Line) -> Option<f64>| {
        let values: Vec<f64> = known.iter().filter_map(|&at| of(&lines[at])).collect();
        holm(&values)
    };
    let (p, exceeds) = (adjusted(|line| line.p), adjusted(|line| line.p_exceeds));
    for (rank, &at) in known.iter().enumerate() {
        let line = &mut lines[at];
        line.p_holm = Some(p[rank]);
        line.verdict = match line.p_same {
            Some(same) if same < ALPHA => Verdict::Same,
            _ if p[rank] >= ALPHA => Verdict::Undecided,
            _ if line.ratio > 1.0 => Verdict::More,
            _ => Verdict::Less,
        };
        if let Some(&p) = exceeds.get(rank) {
            line.p_exceeds = Some(p);
            // Strict: what is not shown to be below the bound may be beyond it.
            line.exceeds = (p < ALPHA) != question.strict;
        }
    }
    if question.strict && question.fail_above.is_some() {
        for line in lines.iter_mut().filter(|line| line.p.is_none()) {
            line.exceeds = true;
        }
    }
}
