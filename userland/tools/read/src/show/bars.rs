// SPDX-License-Identifier: GPL-2.0

//! A stage's histogram, one bar a bucket.

use xcap_abi::histogram::{bucket, lower_bound, upper_bound, BUCKETS};

use crate::show::columns::lines;
use crate::show::numbers::brief;
use xcap_stats::report::{Bucket, StageReport};
use xcap_stats::Quantile;

/// More bars than this are put together.
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
    let bars = merged(&stage.histogram);
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
    let table = lines(&["cycles", "calls", "share", ""], rows.collect(), 0);
    let used = table.iter().map(|line| line.chars().count()).max();
    let used = used.unwrap_or(0);
    let room = width.saturating_sub(used + 2).max(10);
    let (header, body) = table.split_at(1);
    let mut out = format!("{name}\n{}\n", header.concat().trim_end());
    let mut end = None;
    for (line, bar) in body.iter().zip(&bars) {
        if end.is_some_and(|end| bar.low > end) {
            out += "…\n";
        }
        end = bar.high.checked_add(1);
        let line = format!("{line:<used$}  {}", drawn(bar.count, tallest, room));
        out += line.trim_end();
        out.push('\n');
    }
    out
}

/// Buckets put together, by twos, fours, …, until there are few enough bars.
fn merged(buckets: &[Bucket]) -> Vec<Bucket> {
    (0..)
        .map(|halvings| groups(buckets, halvings))
        .find(|bars| bars.len() <= BARS)
        .unwrap_or_default()
}

/// Puts 2^`halvings` buckets into each bar, and leaves out empty bars.
fn groups(buckets: &[Bucket], halvings: u32) -> Vec<Bucket> {
    let mut bars: Vec<Bucket> = Vec::new();
    for found in buckets {
        let first = bucket(found.low) >> halvings << halvings;
        let last = (first + (1 << halvings) - 1).min(BUCKETS - 1);
        let (low, high) = (lower_bound(first), upper_bound(last));
        match bars.last_mut() {
            Some(bar) if bar.low == low => bar.count += found.count,
            _ => bars.push(Bucket {
                low,
                high,
                count: found.count,
            }),
        }
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
