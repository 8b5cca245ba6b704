// SPDX-License-Identifier: GPL-2.0

//! The tables, for a terminal and for a document alike.

use crate::layout::DEPTHS;
use crate::record::{Row, Silicon, Truth};
use crate::unit::{Callers, Returns};
use crate::variant::Variant;

/// A title, what the columns are, and the cells; the first column says what a row is.
pub struct Table {
    pub title: String,
    pub header: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

/// What stands where noise made a figure meaningless.
const NOISE: &str = "noise";
const NOTHING: &str = "–";

pub fn ticks(value: f64) -> String {
    if value.abs() < 99.5 {
        format!("{value:.1}")
    } else {
        format!("{value:.0}")
    }
}

fn depths(first: &str) -> Vec<String> {
    let mut header = vec![first.to_owned()];
    header.extend(DEPTHS.map(|depth| depth.to_string()));
    header
}

/// Rows measured in one place, whatever the depth and the variant.
fn at<'a>(
    silicon: &'a Silicon,
    caches: &'a str,
    callers: Callers,
    returns: Returns,
) -> impl Iterator<Item = &'a Row> + Clone {
    silicon.rows.iter().filter(move |row| {
        row.caches == caches
            && row.callers == callers.word()
            && row.return_thunks == returns.word()
            && row.cpus == 1
    })
}

/// By depth: the chain unprobed, and what each variant adds.
fn by_depth<'a>(title: String, rows: impl Iterator<Item = &'a Row> + Clone) -> Table {
    let cells = |name: &str, variant: Variant, value: fn(&Row) -> String| {
        let mut cells = vec![name.to_owned()];
        for depth in DEPTHS {
            // The first: rows of one CPU stand before those of several.
            let row = rows
                .clone()
                .find(|row| row.depth == depth && row.variant == variant.word());
            cells.push(row.map_or(NOTHING.to_owned(), value));
        }
        cells
    };
    let mut table = Table {
        title,
        header: depths("callers"),
        rows: vec![cells("unprobed, in all", Variant::Floor, |row| {
            ticks(row.unprobed_ticks)
        })],
    };
    for variant in Variant::ALL {
        table.rows.push(cells(variant.word(), variant, |row| {
            row.extra_ticks.map_or(NOISE.to_owned(), ticks)
        }));
    }
    table
}

fn returns_title(returns: Returns) -> &'static str {
    match returns {
        Returns::Plain => "plain returns",
        Returns::Thunk => "returns through a thunk",
        Returns::SafeRet => "returns through safe-ret",
    }
}

fn callers_title(callers: Callers) -> &'static str {
    match callers {
        Callers::Straight => "Each caller calls the next",
        Callers::Loop => "The innermost caller hits eight times",
        Callers::Mixed => "Callers with other callees, too",
    }
}

fn intervals(silicon: &Silicon) -> Table {
    let shown = [Variant::Floor, Variant::Jump, Variant::Call];
    let rows = at(silicon, "hot", Callers::Straight, Returns::Plain);
    let cells = |depth: usize| {
        let mut cells = vec![depth.to_string()];
        for variant in shown {
            let row = rows
                .clone()
                .find(|row| row.depth == depth && row.variant == variant.word());
            cells.push(row.map_or(NOTHING.to_owned(), |row| {
                let [median, low, high] =
                    [row.median_ticks, row.interval_low, row.interval_high].map(ticks);
                let least = row.extra_ticks.map_or(NOISE.to_owned(), ticks);
                format!("{least}, {median} ({low}–{high})")
            }));
        }
        cells
    };
    let mut header = vec!["callers".to_owned()];
    header.extend(shown.map(|variant| variant.word().to_owned()));
    Table {
        title: format!(
            "Minimum, median and the median's interval at {} %; straight, plain returns",
            silicon.level
        ),
        header,
        rows: DEPTHS.map(cells).to_vec(),
    }
}

fn cpus(silicon: &Silicon) -> Table {
    let one_probe: Vec<&Row> = silicon.one_probe().collect();
    let mut steps: Vec<usize> = one_probe.iter().map(|row| row.cpus).collect();
    steps.dedup();
    let mut header = vec!["CPUs".to_owned()];
    header.extend(steps.iter().map(usize::to_string));
    let mut rows: Vec<Vec<String>> = Vec::new();
    for row in one_probe {
        let name = format!("{}, {} callers", row.variant, row.depth);
        let cell = row.extra_ticks.map_or(NOISE.to_owned(), ticks);
        match rows.iter_mut().find(|cells| cells[0] == name) {
            Some(cells) => cells.push(cell),
            None => rows.push(vec![name, cell]),
        }
    }
    Table {
        title: "So many CPUs at one probe at once: what a hit adds for each".to_owned(),
        header,
        rows,
    }
}

fn counters(silicon: &Silicon) -> Option<Table> {
    let rows: Vec<&Row> = at(silicon, "hot", Callers::Straight, Returns::Plain)
        .filter(|row| row.depth == 16 && row.instructions.is_some())
        .collect();
    let number = |value: Option<f64>| value.map_or(NOTHING.to_owned(), |v| format!("{v:.2}"));
    (!rows.is_empty()).then(|| Table {
        title: "Counted by the CPU for a hit under 16 callers, beyond the unprobed chain"
            .to_owned(),
        header: [
            "variant",
            "mispredicted",
            "of them returns",
            "instructions",
            "cycles",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows: rows
            .iter()
            .map(|row| {
                vec![
                    row.variant.clone(),
                    number(row.mispredicts),
                    number(row.mispredicted_returns),
                    number(row.instructions),
                    number(row.cycles),
                ]
            })
            .collect(),
    })
}

/// What corrected means are wrong by.
fn truth(silicon: &Silicon, variant: &str, returns: &str) -> Table {
    let its = |truth: &&Truth| truth.variant == variant && truth.return_thunks == returns;
    let all: Vec<&Truth> = silicon.truth.iter().filter(its).collect();
    let mut rows: Vec<Vec<String>> = Vec::new();
    for function in ["leaf", "outer"] {
        for first in all
            .iter()
            .filter(|one| one.function == function && one.depth == DEPTHS[0])
        {
            let mut cells = vec![format!(
                "{function} {} {}",
                first.kind,
                ticks(first.true_ticks)
            )];
            for depth in DEPTHS {
                let one = all.iter().find(|one| {
                    one.function == function
                        && (one.work, &one.kind) == (first.work, &first.kind)
                        && one.depth == depth
                });
                cells.push(one.map_or(NOTHING.to_owned(), |one| {
                    let mark = if one.holds { "" } else { "✗" };
                    format!("{}{mark}", ticks(one.error()))
                }));
            }
            rows.push(cells);
        }
    }
    let form = Returns::ALL.into_iter().find(|one| one.word() == returns);
    let returns = form.map_or(returns, |one| returns_title(one));
    Table {
        title: format!("{variant}, {returns}: corrected mean less the truth, ticks"),
        header: depths("callers"),
        rows,
    }
}

/// A hit's cost, in the order of interest.
pub fn costs(silicon: &Silicon) -> Vec<Table> {
    let mut tables = Vec::new();
    for returns in Returns::ALL {
        for callers in Callers::ALL {
            tables.push(by_depth(
                format!("{}; {}", callers_title(callers), returns_title(returns)),
                at(silicon, "hot", callers, returns),
            ));
            if (returns, callers) == (Returns::Plain, Callers::Straight) {
                tables.push(intervals(silicon));
                tables.extend(counters(silicon));
            }
        }
    }
    tables.push(by_depth(
        "Cold caches and predictors: medians; straight, plain returns".to_owned(),
        at(silicon, "cold", Callers::Straight, Returns::Plain),
    ));
    tables.push(cpus(silicon));
    tables
}

/// Whether corrected reports are true.
pub fn truths(silicon: &Silicon) -> Vec<Table> {
    silicon
        .calibrated
        .iter()
        .map(|one| truth(silicon, &one.variant, &one.return_thunks))
        .collect()
}
