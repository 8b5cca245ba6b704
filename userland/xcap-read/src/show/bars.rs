// SPDX-License-Identifier: GPL-2.0

//! A stage's histogram, one bar a bucket.

use crate::report::{Bucket, StageReport};
use crate::show::columns::lines;
use crate::show::numbers::brief;
use crate::Quantile;

/// More bars than this are merged by twos.
const BARS: usize = 40;

/// Parts of a character cell, an eighth each.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// Draws the histogram of `stage`, at most `width` characters wide.
pub fn histogram(stage: &StageReport, width: usize) -> String {
    let name = format!(
        "{} ({}), {} calls",
        stage.stage,
        stage.function.as_deref().unwrap_or("-"),
        stage.count
    );
    if stage.histogram.is_empty() {
        return format!("{name}: nothing to draw\n");
    }
    let bars = merged(&with_gaps(&stage.histogram));
    let tallest = bars.iter().map(|bar| bar.count).max().unwrap_or(1).max(1);
    let total = stage.count.max(1) as f64;
    let rows = bars.iter().map(|bar| {
        vec![
            format!("{}–{}", brief(bar.low), brief(bar.high)),
            bar.count.to_string(),
            format!("{:.2} %", 100.0 * bar.count as f64 / total),
            marks(stage, bar),
        ]
    });
    let mut table = lines(&["cycles", "calls", "share", ""], rows.collect(), 0).into_iter();
    let mut out = format!("{name}\n");
    let header = table.next().unwrap_or_default();
    let body: Vec<String> = table.collect();
    let used = body
        .iter()
        .map(|line| line.chars().count())
        .max()
        .unwrap_or(0);
    let room = width.saturating_sub(used + 2).max(10);
    out += header.trim_end();
    out.push('\n');
    for (line, bar) in body.iter().zip(&bars) {
        let line = format!("{line:<used$}  {}", drawn(bar.count, tallest, room));
        out += line.trim_end();
        out.push('\n');
    }
    out
}

/// The buckets with the empty ones between them: so that distances show.
fn with_gaps(buckets: &[Bucket]) -> Vec<Bucket> {
    use xcap_abi::histogram::{bucket, lower_bound, upper_bound};
    let first = buckets.first().map_or(0, |found| bucket(found.low));
    let last = buckets.last().map_or(0, |found| bucket(found.low));
    let mut found = buckets.iter().peekable();
    let every = first..=last;
    every
        .map(|index| {
            let (low, high) = (lower_bound(index), upper_bound(index));
            let count = found.next_if(|bucket| bucket.low == low);
            Bucket {
                low,
                high,
                count: count.map_or(0, |bucket| bucket.count),
            }
        })
        .collect()
}

/// Neighbours put together until there are few enough bars.
fn merged(buckets: &[Bucket]) -> Vec<Bucket> {
    let mut bars = buckets.to_vec();
    while bars.len() > BARS {
        bars = bars
            .chunks(2)
            .map(|pair| Bucket {
                low: pair[0].low,
                high: pair[pair.len() - 1].high,
                count: pair.iter().map(|bucket| bucket.count).sum(),
            })
            .collect();
    }
    bars
}

/// Names of the quantiles that lie in the bar.
fn marks(stage: &StageReport, bar: &Bucket) -> String {
    let within = |quantile: Option<Quantile>| {
        quantile.is_some_and(|found| bar.low <= found.low && found.low <= bar.high)
    };
    [
        ("p50", stage.p50),
        ("p90", stage.p90),
        ("p99", stage.p99),
        ("p99.9", stage.p99_9),
    ]
    .into_iter()
    .filter(|(_, quantile)| within(*quantile))
    .map(|(name, _)| name)
    .collect::<Vec<_>>()
    .join(" ")
}

/// A bar of up to `room` cells; what isn't zero is never invisible.
fn drawn(count: u64, tallest: u64, room: usize) -> String {
    let eighths = (count as f64 / tallest as f64 * room as f64 * 8.0).round() as usize;
    let eighths = eighths.max(usize::from(count > 0));
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}
