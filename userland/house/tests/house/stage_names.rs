// SPDX-License-Identifier: GPL-2.0

//! Names of stages are written once, in abi/: elsewhere they are values of `Stage`.

use std::collections::HashSet;
use std::fs;

use xcap_abi::stage::Stage;
use xcap_house::crates::source_tree;
use xcap_house::literals::{texts, Text};

use crate::tracked;

/// Words that mean something else where they stand.
const HOMONYMS: [(&str, &str); 1] = [
    // The kernel's module.
    ("build/guest_image.rs", "bridge"),
];

/// Where they are still written. This list only gets shorter.
const NOT_YET: [&str; 1] = ["userland/study/paper"];

#[test]
fn stages_are_named_in_one_place() {
    let mut written = Vec::new();
    let mut excused = HashSet::new();
    for file in tracked::with_extension(&["rs"]) {
        let is_test = file.iter().any(|part| part == "tests" || part == "trials");
        if file.starts_with("abi") || is_test {
            continue;
        }
        let source = fs::read_to_string(source_tree().join(&file)).expect("it is text");
        let texts = texts(&source).expect("it compiles");
        for Text { line, text } in texts {
            let means_another = HOMONYMS
                .iter()
                .any(|&(place, word)| file.ends_with(place) && word == text);
            if Stage::parse(&text).is_none() || means_another {
                continue;
            }
            if let Some(folder) = NOT_YET.iter().find(|folder| file.starts_with(folder)) {
                excused.insert(folder);
            } else {
                written.push(format!("{}:{line}: {text}", file.display()));
            }
        }
    }
    assert!(
        written.is_empty(),
        "Stage in abi/src/stage.rs has them as values:\n{}",
        written.join("\n")
    );
    assert_eq!(
        excused.len(),
        NOT_YET.len(),
        "take what is mended off NOT_YET"
    );
}

#[test]
fn docs_and_tests_may_name_them() {
    let source = r##"
        //! Of "nic_irq".
        /// "softirq"
        fn f() { g("bridge", c"copy"); h!(i, ["notify"]) }
        #[cfg(test)]
        mod tests { const A: &str = "deliver"; }
    "##;
    let found: Vec<_> = texts(source)
        .expect("it is Rust")
        .into_iter()
        .map(|text| text.text)
        .collect();
    assert_eq!(found, ["bridge", "copy", "notify"]);
}
