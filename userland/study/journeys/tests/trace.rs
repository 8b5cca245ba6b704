// SPDX-License-Identifier: GPL-2.0

//! The trace against what its format asks for.

mod common;

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde_json::Value;
use xcap_journeys::analysis::{Analysis, Counted};
use xcap_journeys::trace;

/// Of microseconds, with no part of a nanosecond.
fn nanoseconds(microseconds: &Value) -> u64 {
    let nanoseconds = microseconds.as_f64().unwrap() * 1e3;
    let whole = nanoseconds.round();
    assert!(
        whole >= 0.0 && (nanoseconds - whole).abs() < 1e-3,
        "{microseconds}"
    );
    whole as u64
}

#[test]
fn a_trace_is_as_viewers_want_it() {
    let frames = 23;
    let recordings = common::run(frames, 4, 0);
    let analysis = Analysis::new(&recordings, Counted::default()).unwrap();
    let mut text = Vec::new();
    trace::write(&analysis, &recordings, &mut text).unwrap();
    let trace: Value = serde_json::from_slice(&text).unwrap();
    let mut calls: BTreeMap<(u64, u64), Vec<(u64, u64)>> = BTreeMap::new();
    let mut arrows: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    let mut marks = 0;
    for event in trace["traceEvents"].as_array().unwrap() {
        let (process, thread) = (event["pid"].as_u64(), event["tid"].as_u64());
        let thread = (process.unwrap(), thread.unwrap());
        match event["ph"].as_str().unwrap() {
            "M" => assert!(event["args"]["name"].is_string(), "{event}"),
            "C" => assert!(event["args"]["frames"].is_u64(), "{event}"),
            "X" => {
                let (begin, length) = (nanoseconds(&event["ts"]), nanoseconds(&event["dur"]));
                calls
                    .entry(thread)
                    .or_default()
                    .push((begin, begin + length));
                marks += u64::from(event["cat"] == "call");
            }
            step @ ("s" | "t" | "f") => {
                let frame = event["id"].as_u64().unwrap();
                arrows.entry(frame).or_default().push(step.to_owned());
            }
            other => panic!("'{other}' is none of the format's events"),
        }
    }
    let all: usize = recordings
        .iter()
        .map(|recording| recording.marks.len())
        .sum();
    assert_eq!(marks, all as u64);
    assert_eq!(arrows.len() as u64, frames);
    for steps in arrows.values() {
        assert_eq!(steps.first().unwrap(), "s");
        assert_eq!(steps.last().unwrap(), "f");
        assert!(steps[1..steps.len() - 1].iter().all(|step| step == "t"));
    }
    // A thread's events hold one another or are apart: viewers draw no others.
    for spans in calls.values_mut() {
        spans.sort_by_key(|&(begin, end)| (begin, Reverse(end)));
        let mut open: Vec<u64> = Vec::new();
        for &(begin, end) in spans.iter() {
            open.retain(|&end| end > begin);
            assert!(open.iter().all(|&outer| end <= outer));
            open.push(end);
        }
    }
}
