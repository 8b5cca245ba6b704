// SPDX-License-Identifier: GPL-2.0

//! Whatever the text, it is shown or refused, with a line that exists; never a panic.

use std::fs;

use proptest::prelude::*;
use proptest::sample::{select, Index};
use xcap_read::show::{histogram, report, View};
use xcap_stats::{parse, Options, Report};

const FILES: [&str; 3] = [
    "tests/data/dom0.stats",
    "tests/data/domU-lossy.stats",
    "tests/data/bare.stats",
];

fn show(text: &str) -> Result<(), TestCaseError> {
    match parse(text) {
        Err(malformed) => {
            let lines = text.split_inclusive('\n').count().max(1);
            prop_assert!((1..=lines).contains(&malformed.line), "{malformed}");
        }
        Ok(stats) => {
            let shown = Report::new(&stats, Options::default());
            let view = View {
                percentiles: true,
                ..View::default()
            };
            report(&shown, &view);
            for stage in &shown.stages {
                histogram(stage, 80);
            }
            let json = serde_json::to_string(&shown).unwrap();
            prop_assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), shown);
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn truncated_anywhere(file in select(&FILES[..]), place: Index) {
        let text = fs::read_to_string(file).unwrap();
        show(&text[..place.index(text.len())])?;
    }

    #[test]
    fn one_word_replaced(
        file in select(&FILES[..]),
        place: Index,
        word in prop_oneof![
            any::<u64>().prop_map(|number| number.to_string()),
            any::<u128>().prop_map(|number| number.to_string()),
            "[ -~]{0,8}",
            select(&["-", "0", "1", "-1", "armed", "stopped", "495:1", "18446744073709551615"][..])
                .prop_map(str::to_owned),
        ],
    ) {
        let text = fs::read_to_string(file).unwrap();
        let mut words: Vec<&str> = text.split(' ').collect();
        let at = place.index(words.len());
        words[at] = &word;
        show(&words.join(" "))?;
    }

    /// Where nothing is held against anything, all figures are free.
    #[test]
    fn approximate_with_any_figures(
        figures in prop::collection::vec(any::<u64>(), 17),
        bucket in 0..496_usize,
    ) {
        let text = fs::read_to_string(FILES[0]).unwrap();
        let header: String = text.split_inclusive('\n').filter(|line| line.starts_with('#') && *line != "# end\n").collect();
        let mut missed = figures[5] >> 2;
        let causes: Vec<String> = [figures[6], figures[7], figures[8], figures[9]]
            .iter()
            .map(|figure| {
                let cause = figure % (missed + 1);
                missed -= cause;
                cause.to_string()
            })
            .collect();
        let total = (figures[5] >> 2) - missed;
        let line = format!(
            "s f direct armed - {} {} {} {} {} {} {total} {} {} {} {} {} {} {} {} {} frames 0 {bucket}:{}\n",
            figures[0], figures[1], figures[2], figures[3], figures[4], figures[5],
            causes.join(" "),
            figures[10], figures[11], figures[12], figures[13], figures[14], figures[15],
            figures[16], figures[0],
            figures[1],
        );
        let text = header + &line + "# end\n";
        let parsed = parse(&text);
        prop_assert!(parsed.is_ok(), "{:?}", parsed.err());
        show(&text)?;
    }
}
