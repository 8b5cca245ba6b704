// SPDX-License-Identifier: GPL-2.0

//! Every variant runs here, counts what was called, and is written down. Nothing is said of times.

use std::collections::BTreeSet;
use xcap_silicon::{document, measure, show, Plan, Silicon, ROUNDS};

/// Repetitions and calls are prime, so that no sum of others passes for their product.
fn short() -> Silicon {
    let plan = Plan {
        repetitions: 3,
        calls: 37,
        ..Plan::default()
    };
    measure(&plan).expect("what is needed is any x86-64 with lzcnt and bmi2")
}

/// One measurement for all: each patches the same code.
#[test]
fn a_short_run_counts_every_call_and_is_written_down() {
    let silicon = short();

    // 3 repetitions of 10 calls to warm up and 37 timed ones.
    let hits = 3 * (10 + 37);
    let mut variants = BTreeSet::new();
    for row in &silicon.rows {
        if row.caches == "hot" {
            // What was noise is measured again, a whole round.
            let each = hits * if row.callers == "loop" { 8 } else { 1 } * row.cpus as u64;
            assert_eq!(row.hits % each, 0, "{row:?}");
            assert!(
                (1..=u64::from(ROUNDS)).contains(&(row.hits / each)),
                "{row:?}"
            );
        }
        if row.variant != "floor" {
            assert_eq!(row.counted, Some(row.hits), "{row:?}");
        }
        variants.insert(row.variant.as_str());
        assert!(row.interval_low <= row.median_ticks && row.median_ticks <= row.interval_high);
    }
    for variant in [
        "floor",
        "jump",
        "call",
        "call-shared",
        "shape-bpf-fexit-jump",
        "shape-bpf-fexit-call",
        "shape-return-to-handler",
        "shape-rethook",
    ] {
        assert!(variants.contains(variant), "{variant} is missing");
    }
    let depths: BTreeSet<usize> = silicon.rows.iter().map(|row| row.depth).collect();
    assert_eq!(
        depths.into_iter().collect::<Vec<_>>(),
        [1, 2, 4, 8, 12, 16, 24, 32]
    );

    let json = serde_json::to_value(&silicon).unwrap();
    assert!(json["cpu"].as_str().is_some_and(|cpu| !cpu.is_empty()));
    assert!(json["floor_ticks"]
        .as_f64()
        .is_some_and(|ticks| ticks > 0.0));
    let row = &json["rows"][0];
    for key in [
        "variant",
        "depth",
        "extra_ticks",
        "callers",
        "caches",
        "return_thunks",
        "cpus",
        "interval_low",
        "interval_high",
        "mispredicts",
    ] {
        assert!(row.get(key).is_some(), "no '{key}' in {row}");
    }
    assert_eq!(serde_json::from_value::<Silicon>(json).unwrap(), silicon);

    for line in show::silicon(&silicon).lines() {
        assert!(line.chars().count() <= 80, "too wide: {line}");
    }
    let section = document::section(&silicon);
    assert!(section.contains(&silicon.cpu));
    let placed = document::place("# What a probe costs\n\n## Conditions\n\nNone.\n", &section);
    assert_eq!(
        document::section_of(&placed).map(str::trim_end),
        Some(section.trim_end())
    );
}
