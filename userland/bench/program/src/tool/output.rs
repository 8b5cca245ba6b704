// SPDX-License-Identifier: GPL-2.0

//! What the tools print.

use super::armed::Reading;
use anyhow::{bail, Context, Result};
use serde::{Deserialize, Serialize};

/// How a program prints what it saw.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Format {
    /// A line `COUNT SUM …`.
    Moments,
    /// bpftrace's JSON of a map of `stats()`.
    BpftraceStats,
    /// perf ftrace latency's histogram and statistics.
    PerfLatency,
}

impl Format {
    pub fn parse(self, text: &str) -> Result<Reading> {
        match self {
            Format::Moments => moments(text),
            Format::BpftraceStats => bpftrace(text),
            Format::PerfLatency => perf(text),
        }
    }
}

fn reading(count: u64, sum: f64) -> Reading {
    Reading {
        count,
        mean: (count > 0).then(|| sum / count as f64),
        corrected: None,
    }
}

/// The last line `COUNT SUM …`.
pub fn moments(text: &str) -> Result<Reading> {
    let line = text
        .lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .context("it printed nothing")?;
    let numbers: Option<Vec<u64>> = line
        .split_whitespace()
        .take(2)
        .map(|word| word.parse().ok())
        .collect();
    match numbers.as_deref() {
        Some(&[count, sum]) => Ok(reading(count, sum as f64)),
        _ => bail!("no count and sum in '{line}'"),
    }
}

fn bpftrace(text: &str) -> Result<Reading> {
    for line in text.lines() {
        let Ok(value) = serde_json::from_str::<serde_json::Value>(line) else {
            continue;
        };
        if value["type"] == "stats" {
            let map = value["data"]
                .as_object()
                .and_then(|maps| maps.values().next());
            let map = map.context("an empty map")?;
            let number = |key: &str| {
                map[key]
                    .as_u64()
                    .with_context(|| format!("no {key} in {map}"))
            };
            return Ok(reading(number("count")?, number("total")? as f64));
        }
    }
    bail!("it printed no statistics")
}

fn perf(text: &str) -> Result<Reading> {
    let field = |name: &str| {
        let line = text
            .lines()
            .find_map(|line| line.trim_start_matches(['#', ' ']).strip_prefix(name));
        let number = line.map(|rest| rest.trim_start_matches([':', ' ']));
        let number = number.and_then(|rest| rest.split_whitespace().next());
        number.and_then(|word| word.parse::<f64>().ok())
    };
    // Its total is not always in the unit of its mean.
    match (field("count"), field("avg time")) {
        (Some(count), Some(mean)) => Ok(reading(count as u64, count * mean)),
        _ => bail!("it printed no statistics: {}", text.trim()),
    }
}

/// Durations in function_graph's trace of one function, in ns.
pub fn function_graph(trace: &str) -> Result<Reading> {
    let mut count = 0;
    let mut sum = 0.0;
    for line in trace.lines().filter(|line| !line.starts_with('#')) {
        let Some((before, _)) = line.split_once(" us ") else {
            continue;
        };
        let word = before.split_whitespace().last().unwrap_or_default();
        let Ok(us) = word.parse::<f64>() else {
            bail!("no duration in '{line}'");
        };
        count += 1;
        sum += us * 1000.0;
    }
    Ok(reading(count, sum))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_counts() {
        let reading = moments("WARNING: x\n23 460 9200\n\n").unwrap();
        assert_eq!((reading.count, reading.mean), (23, Some(20.0)));
        assert!(moments("").is_err());
        assert!(moments("ERROR: probe overhead exceeded").is_err());
    }

    #[test]
    fn bpftraces_map_is_found_among_its_other_lines() {
        let text = "{\"type\": \"attached_probes\", \"data\": {\"probes\": 2}}\n\
                    {\"type\": \"stats\", \"data\": {\"@\": {\"average\": 899, \"count\": 4, \"total\": 3597}}}\n";
        let reading = Format::BpftraceStats.parse(text).unwrap();
        assert_eq!((reading.count, reading.mean), (4, Some(899.25)));
    }

    #[test]
    fn perfs_statistics_follow_its_histogram() {
        let text = "#   DURATION     |      COUNT | GRAPH |\n     0 - 1    us |        997 | ## |\n\n\
                    # statistics  (in nsec)\n  total time:               850000\n    avg time:                  850\n  \
                    max time:  9\n    min time: 8\n       count:               1000\n";
        let reading = Format::PerfLatency.parse(text).unwrap();
        assert_eq!((reading.count, reading.mean), (1000, Some(850.0)));
    }

    #[test]
    fn function_graph_prints_microseconds() {
        let trace = "# tracer: function_graph\n 0)   0.761 us    |  __x64_sys_umask();\n 0) + 11.239 us    |  __x64_sys_umask();\n";
        let reading = function_graph(trace).unwrap();
        assert_eq!((reading.count, reading.mean), (2, Some(6000.0)));
    }
}
