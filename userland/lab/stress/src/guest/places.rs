// SPDX-License-Identifier: GPL-2.0

//! The places at which an operation can fail, told apart by how the kernel comes to them.
//!
//! There are thousands, most of them the same over and over: a page of many, an entry of a hash, a function of a list.
//! So what an operation meets is traced once without a failure, and of the places that share a call stack one fails
//! first, then, in later turns, the others.

use anyhow::{Context, Result};
use fastrand::Rng;
use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;

const EVENTS: &str = "/sys/kernel/tracing/kprobe_events";
const EVENT: &str = "xcap_place";
/// Asked at each place; counts `fail-nth` down.
const ASKED: &str = "should_fail_ex";
const INSTANCE: &str = "/sys/kernel/tracing/instances/xcap_places";
/// For each CPU; ten thousand stacks.
const BUFFER_KB: &str = "8192";

/// Asked before the operation: what sets `fail-nth` reads it from user memory.
const BEFORE: usize = 1;
/// And after it: what reads `fail-nth`, what clears it, what ends the trace.
const AFTER: usize = 3;

/// Traces what the calling thread asks.
pub struct Survey {
    switch: File,
}

/// Places that share a call stack have the same number.
pub type Stacks = Vec<usize>;

impl Survey {
    pub fn new() -> Result<Self> {
        append(EVENTS, &format!("p:{EVENT} {ASKED}\n"))?;
        // An instance of an earlier sweep is taken over.
        let _ = fs::create_dir(INSTANCE);
        let event = format!("{INSTANCE}/events/kprobes/{EVENT}");
        let thread = fs::read_link("/proc/thread-self")?;
        let thread = thread.file_name().context("this thread has no number")?;
        let filter = format!("common_pid == {}", thread.to_string_lossy());
        for (file, text) in [
            (format!("{INSTANCE}/tracing_on"), "0"),
            (format!("{INSTANCE}/buffer_size_kb"), BUFFER_KB),
            (format!("{INSTANCE}/options/stacktrace"), "1"),
            (format!("{INSTANCE}/options/sym-offset"), "1"),
            (format!("{event}/filter"), filter.as_str()),
            (format!("{event}/enable"), "1"),
        ] {
            fs::write(&file, text).with_context(|| format!("'{text}' into {file}"))?;
        }
        let switch = OpenOptions::new()
            .write(true)
            .open(format!("{INSTANCE}/tracing_on"))?;
        Ok(Self { switch })
    }

    /// The stacks at the places that `act` meets, which counts them; None: the kernel asks elsewhere, too.
    pub fn of(&mut self, act: impl FnOnce() -> Result<u64>) -> Result<(u64, Option<Stacks>)> {
        self.switch.write_all(b"1")?;
        let places = act();
        self.switch.write_all(b"0")?;
        let places = places?;
        let trace = fs::read_to_string(format!("{INSTANCE}/trace"))?;
        Ok((places, stacks(&trace, places as usize)))
    }
}

impl Drop for Survey {
    fn drop(&mut self) {
        // What is left of it does no harm, and the next one takes it over.
        let _ = fs::write(format!("{INSTANCE}/events/kprobes/{EVENT}/enable"), "0");
        let _ = fs::remove_dir(INSTANCE);
        let _ = append(EVENTS, &format!("-:{EVENT}\n"));
    }
}

fn append(file: &str, text: &str) -> Result<()> {
    let opened = OpenOptions::new().append(true).open(file);
    opened
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("'{}' into {file}", text.trim()))
}

fn stacks(trace: &str, places: usize) -> Option<Stacks> {
    let mut asked: Vec<String> = Vec::new();
    for line in trace.lines().filter(|line| !line.starts_with('#')) {
        if let Some(frame) = line.trim_start().strip_prefix("=> ") {
            asked.last_mut()?.extend([frame, "\n"]);
        } else if line.contains(&format!(" {EVENT}: ")) {
            asked.push(String::new());
        }
    }
    if asked.len() != BEFORE + places + AFTER {
        return None;
    }
    let mut known = HashMap::new();
    let of_operation = asked.into_iter().skip(BEFORE).take(places);
    let numbers = of_operation.map(|stack| {
        let next = known.len();
        *known.entry(stack).or_insert(next)
    });
    Some(numbers.collect())
}

/// Numbers of places, from 1: one of each stack, then another of each that has more, and so on; which is at random.
pub fn in_turns(stacks: &[usize], rng: &mut Rng) -> Vec<u64> {
    let mut places: Vec<usize> = (0..stacks.len()).collect();
    rng.shuffle(&mut places);
    let mut turns = HashMap::new();
    let mut ordered: Vec<(usize, usize)> = places
        .into_iter()
        .map(|place| {
            let turn = turns.entry(stacks[place]).or_insert(0);
            *turn += 1;
            (*turn, place)
        })
        .collect();
    ordered.sort_by_key(|&(turn, _)| turn);
    ordered
        .into_iter()
        .map(|(_, place)| place as u64 + 1)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "\
# tracer: nop
#
     stress-71 [001] .....  12.000001: xcap_place: (should_fail_ex+0x0/0x150)
     stress-71 [001] .....  12.000002: <stack trace>
 => should_fail_usercopy+0x10/0x20
 => proc_fail_nth_write+0x40/0x90
     stress-71 [001] .....  12.000003: xcap_place: (should_fail_ex+0x0/0x150)
     stress-71 [001] .....  12.000004: <stack trace>
 => should_failslab+0x10/0x20
 => xcap_one+0x10/0x20
     stress-71 [000] .....  12.000005: xcap_place: (should_fail_ex+0x0/0x150)
     stress-71 [000] .....  12.000006: <stack trace>
 => should_failslab+0x10/0x20
 => xcap_other+0x10/0x20
     stress-71 [000] .....  12.000007: xcap_place: (should_fail_ex+0x0/0x150)
     stress-71 [000] .....  12.000008: <stack trace>
 => should_failslab+0x10/0x20
 => xcap_one+0x10/0x20
     stress-71 [000] .....  12.000009: xcap_place: (should_fail_ex+0x0/0x150)
     stress-71 [000] .....  12.000010: xcap_place: (should_fail_ex+0x0/0x150)
     stress-71 [000] .....  12.000011: xcap_place: (should_fail_ex+0x0/0x150)
";

    #[test]
    fn places_of_one_stack_have_one_number() {
        assert_eq!(stacks(TRACE, 3), Some(vec![0, 1, 0]));
    }

    #[test]
    fn a_trace_of_more_or_less_than_the_places_tells_nothing() {
        assert_eq!(stacks(TRACE, 2), None);
        assert_eq!(stacks(TRACE, 4), None);
    }

    #[test]
    fn each_stack_has_its_turn_before_one_has_another() {
        let stacks = [0, 0, 0, 1, 0, 2, 1];
        let order = in_turns(&stacks, &mut Rng::with_seed(1));
        let of = |places: &[u64]| {
            let mut of: Vec<usize> = places.iter().map(|&p| stacks[p as usize - 1]).collect();
            of.sort_unstable();
            of
        };
        assert_eq!(of(&order[..3]), [0, 1, 2]);
        assert_eq!(of(&order[3..5]), [0, 1]);
        let mut all = order;
        all.sort_unstable();
        assert_eq!(all, [1, 2, 3, 4, 5, 6, 7]);
    }
}
