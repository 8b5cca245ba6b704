// SPDX-License-Identifier: GPL-2.0

//! A saved `stats` file with single fields changed.

use std::fmt::Display;
use std::fs;

use xcap_abi::histogram::bucket;
use xcap_abi::record::COLUMNS;

/// dom0 at w0s0064: all is well.
pub const DOM0: &str = "tests/data/dom0.stats";

/// A domU with a trapped TSC, kretprobes that missed, and a stage read while it ran.
pub const LOSSY: &str = "tests/data/domU-lossy.stats";

pub struct Edited(String);

impl Edited {
    pub fn new(file: &str) -> Self {
        Self(fs::read_to_string(file).unwrap())
    }

    pub fn set(self, stage: &str, column: &str, value: impl Display) -> Self {
        self.change(stage, column, |_| value.to_string())
    }

    /// Takes one sample out of the histogram.
    pub fn drop_from_histogram(self, stage: &str, sample: u64) -> Self {
        let key = format!("{}:", bucket(sample));
        self.change(stage, "histogram", |buckets| {
            let left = buckets
                .split(',')
                .filter_map(|pair| match pair.strip_prefix(&key) {
                    Some("1") => None,
                    Some(count) => Some(format!("{key}{}", count.parse::<u64>().unwrap() - 1)),
                    None => Some(pair.to_owned()),
                });
            left.collect::<Vec<_>>().join(",")
        })
    }

    fn change(self, stage: &str, column: &str, new: impl Fn(&str) -> String) -> Self {
        let place = COLUMNS.iter().position(|name| *name == column).unwrap();
        let line = |line: &str| {
            let mut fields: Vec<String> = line.split(' ').map(str::to_owned).collect();
            if fields[0] == stage {
                fields[place] = new(&fields[place]);
            }
            fields.join(" ") + "\n"
        };
        Self(self.0.lines().map(line).collect())
    }

    pub fn text(self) -> String {
        self.0
    }
}
