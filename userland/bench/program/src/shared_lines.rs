// SPDX-License-Identifier: GPL-2.0

//! Which lines of memory two CPUs share by hitting one probe.

use crate::two_cpus::{Calls, CONTROL, CPUS};
use anyhow::{bail, Context, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;
use xcap_lines::{Count, Line, Touches, Window};

/// One probe in the table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Shared {
    pub probe: String,
    /// Of each CPU.
    pub calls: u32,
    /// Calls that the probe counted, of both.
    pub count: Option<u64>,
    /// Of accesses to memory, how many were made while both CPUs were calling.
    pub together: f64,
    /// Touched by both in the course of calls, and written.
    pub lines: Vec<SharedLine>,
    /// Touched by both and written, but now and then, as by a timer's tick.
    pub rare: usize,
    /// Accesses to memory, all of them, a call.
    pub accesses: f64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SharedLine {
    pub physical: u64,
    /// As the kernel last addressed it.
    pub address: u64,
    /// What is there, if it is not allocated memory.
    pub place: String,
    /// A call.
    pub reads: f64,
    pub writes: f64,
    /// Functions that touch it, the most frequent first.
    pub functions: Vec<String>,
}

impl SharedLine {
    /// Whether xcap's own code touches it, or it is the module's.
    pub fn is_xcaps(&self) -> bool {
        let mut names = self.functions.iter().chain([&self.place]);
        names.any(|name| name.ends_with("[xcap]"))
    }
}

/// The windows that the plugin wrote.
pub fn windows<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read '{}'", path.display()))?;
    let window = |line| serde_json::from_str(line).context("a line of the plugin's is no window");
    text.lines().map(window).collect()
}

/// Puts together what was called and what was recorded; `names` resolves the kernel's addresses.
pub fn shared(
    calls: Vec<Calls>,
    windows: &[Window],
    names: impl Fn(&[u64]) -> Result<Vec<String>>,
) -> Result<Vec<Shared>> {
    if calls.len() != windows.len() {
        bail!(
            "{} windows were recorded for {} probes",
            windows.len(),
            calls.len()
        );
    }
    let rows = calls.into_iter().zip(windows);
    let rows: Vec<Shared> = rows
        .map(|(calls, window)| row(calls, window, &names))
        .collect::<Result<_>>()?;
    let control = rows.iter().find(|row| row.probe == CONTROL);
    if control.is_none_or(|row| row.lines.is_empty()) {
        bail!(
            "the line that threads of a process share was not seen: what isn't seen proves nothing"
        );
    }
    Ok(rows)
}

fn row(
    calls: Calls,
    window: &Window,
    names: &impl Fn(&[u64]) -> Result<Vec<String>>,
) -> Result<Shared> {
    let (hot, rare): (Vec<&Line>, Vec<&Line>) = window
        .lines
        .iter()
        .partition(|line| is_of_calls(line, u64::from(calls.calls)));
    let lines = hot
        .into_iter()
        .map(|line| shared_line(line, calls.calls, names))
        .collect::<Result<_>>()?;
    Ok(Shared {
        probe: calls.probe,
        calls: calls.calls,
        count: calls.count,
        together: window.together as f64 / window.accesses as f64,
        lines,
        rare: rare.len(),
        accesses: window.accesses as f64 / f64::from(calls.calls) / CPUS as f64,
    })
}

/// Whether a hit is what touches the line, on each CPU, and writes it.
///
/// A timer's tick or the scheduler does now and then. One instruction of theirs comes to far fewer accesses than
/// there are calls; all of them together may not.
fn is_of_calls(line: &Line, calls: u64) -> bool {
    let most = |touches: &Touches, kind: fn(&Count) -> u64| {
        touches.by.values().map(kind).max().unwrap_or(0)
    };
    let touched = |touches| most(touches, |count| count.accesses()) >= calls / 2;
    let written = |touches| most(touches, |count| count.writes) >= calls / 2;
    line.cpus.iter().all(touched) && line.cpus.iter().any(written)
}

fn shared_line(
    line: &Line,
    calls: u32,
    names: &impl Fn(&[u64]) -> Result<Vec<String>>,
) -> Result<SharedLine> {
    let address = line.cpus.first().map_or(0, |touches| touches.address);
    let mut by: Vec<_> = line.cpus.iter().flat_map(|touches| &touches.by).collect();
    by.sort_by_key(|(_, count)| std::cmp::Reverse(count.accesses()));
    let mut addresses = vec![address];
    addresses.extend(by.iter().map(|(&address, _)| address));
    let mut functions: Vec<String> = Vec::new();
    let mut found = names(&addresses)?.into_iter();
    let place = found.next().unwrap_or_default();
    for name in found {
        if !functions.contains(&name) {
            functions.push(name);
        }
    }
    let per_call = |count: u64| count as f64 / f64::from(calls) / CPUS as f64;
    Ok(SharedLine {
        physical: line.physical,
        address,
        place,
        reads: per_call(by.iter().map(|(_, count)| count.reads).sum()),
        writes: per_call(by.iter().map(|(_, count)| count.writes).sum()),
        functions,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    const CALLS: u32 = 101;

    fn touches(by: &[(u64, u64, u64)]) -> Touches {
        let count = |&(by, reads, writes): &(u64, u64, u64)| (by, Count { reads, writes });
        Touches {
            address: 0xff00,
            by: by.iter().map(count).collect::<BTreeMap<_, _>>(),
        }
    }

    fn window(cpus: [&[(u64, u64, u64)]; 2]) -> Window {
        Window {
            accesses: 1000,
            together: 900,
            lines: vec![Line {
                physical: 0x40,
                cpus: cpus.map(touches).to_vec(),
            }],
        }
    }

    fn calls(probe: &str) -> Calls {
        Calls {
            probe: probe.to_owned(),
            calls: CALLS,
            count: None,
        }
    }

    fn names(addresses: &[u64]) -> Result<Vec<String>> {
        Ok(addresses.iter().map(|at| format!("{at:#x}")).collect())
    }

    /// What a probe shares, after a control in which there is a shared line.
    fn probe(cpus: [&[(u64, u64, u64)]; 2]) -> Shared {
        let windows = [window([&[(1, 0, 101)], &[(1, 0, 101)]]), window(cpus)];
        let rows = shared(vec![calls(CONTROL), calls("p")], &windows, names);
        rows.expect("they fit").remove(1)
    }

    #[test]
    fn a_line_that_each_call_writes_is_shared() {
        let row = probe([&[(1, 101, 101), (2, 303, 0)], &[(1, 101, 0)]]);
        assert_eq!((row.lines.len(), row.rare), (1, 0));
        let line = &row.lines[0];
        assert_eq!((line.reads, line.writes), (2.5, 0.5));
        assert_eq!(line.functions, ["0x2", "0x1"]);
        assert!(!line.is_xcaps());
    }

    #[test]
    fn what_ticks_touch_is_not_the_calls_doing() {
        let tick: &[(u64, u64, u64)] = &[(1, 0, 40), (2, 40, 0), (3, 40, 0)];
        assert_eq!(probe([tick, tick]).rare, 1);
        // Read with every call, but only ticks write it.
        let read: &[(u64, u64, u64)] = &[(1, 0, 40), (2, 101, 0)];
        assert_eq!(probe([read, read]).rare, 1);
    }

    #[test]
    fn nothing_is_said_where_the_control_fails() {
        let windows = [window([&[(1, 1, 1)], &[(1, 1, 1)]])];
        assert!(shared(vec![calls(CONTROL)], &windows, names).is_err());
        assert!(shared(vec![calls(CONTROL)], &[], names).is_err());
    }
}
