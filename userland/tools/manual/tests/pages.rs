// SPDX-License-Identifier: GPL-2.0

//! What is said is complete, and roff takes it.

use std::collections::BTreeSet;

use xcap_abi::reason::Reason;
use xcap_abi::record::COLUMNS;
use xcap_abi::stage::Stage;
use xcap_manual::{completions, man, Made};

fn text(made: &Made) -> &str {
    std::str::from_utf8(&made.text).unwrap()
}

fn page(name: &str) -> String {
    let pages = man().unwrap();
    let found = pages.iter().find(|made| made.path.ends_with(name));
    text(found.unwrap_or_else(|| panic!("no page {name}"))).to_owned()
}

#[test]
fn every_column_and_word_is_explained() {
    let formats = page("xcap-stats.5");
    for column in COLUMNS {
        assert!(formats.contains(&format!("\n.B {column}\n")), "{column}");
    }
    let module = page("xcap.4");
    let stages = Stage::ALL.map(Stage::word);
    for word in stages.into_iter().chain(Reason::ALL.map(Reason::word)) {
        assert!(module.contains(&format!("\n.B {word}\n")), "{word}");
    }
}

#[test]
fn every_page_has_examples_and_says_what_it_costs() {
    for made in man().unwrap() {
        for section in [
            "NAME",
            "SYNOPSIS",
            "EXAMPLES",
            "OVERHEAD AND CAVEATS",
            "SEE ALSO",
        ] {
            // Of a format there is no synopsis.
            let told = section == "SYNOPSIS" && made.path.ends_with("xcap-stats.5");
            let line = format!(".SH {section}\n");
            assert!(
                told || text(&made).contains(&line),
                "{:?}: {section}",
                made.path
            );
        }
    }
}

#[test]
fn no_text_is_taken_for_a_command() {
    let known: BTreeSet<&str> = "TH SH SS TP PP IP B I BR RB BI IB RI IR br nf fi ie el ds RS RE"
        .split(' ')
        .collect();
    for made in man().unwrap() {
        for line in text(&made).lines() {
            assert!(
                !line.starts_with('@'),
                "{:?}: nothing stands for {line}",
                made.path
            );
            let Some(command) = line
                .strip_prefix('.')
                .filter(|rest| !rest.starts_with('\\'))
            else {
                continue;
            };
            let command = command.split(' ').next().unwrap();
            assert!(known.contains(command), "{:?}: {line}", made.path);
        }
    }
}

#[test]
fn every_program_completes_in_three_shells() {
    let made = completions();
    let pages = man().unwrap();
    let programs = pages
        .iter()
        .filter(|page| page.path.starts_with("man/man1"));
    assert_eq!(made.len(), 3 * programs.count());
    for completion in &made {
        assert!(text(completion).contains("help"), "{:?}", completion.path);
    }
}
