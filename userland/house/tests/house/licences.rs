// SPDX-License-Identifier: GPL-2.0

//! Every source file says first under which licence it is.

use std::fs;

use xcap_house::crates::source_tree;

use crate::tracked;

const SOURCES: [&str; 5] = ["S", "c", "h", "rs", "sh"];

/// Folders where some don't yet. This list only gets shorter.
const NOT_YET: [&str; 2] = ["userland/bench", "userland/lab"];

fn says_so(text: &str) -> bool {
    let mut lines = text.lines().skip_while(|line| line.starts_with("#!"));
    lines
        .next()
        .is_some_and(|line| line.contains("SPDX-License-Identifier: GPL-2.0"))
}

#[test]
fn sources_begin_with_their_licence() {
    let silent: Vec<_> = tracked::with_extension(&SOURCES)
        .into_iter()
        .filter(|file| {
            let text = fs::read_to_string(source_tree().join(file)).expect("it is text");
            !says_so(&text)
        })
        .collect();
    let excused = |file: &std::path::PathBuf| NOT_YET.iter().any(|folder| file.starts_with(folder));
    let faulty: Vec<_> = silent.iter().filter(|file| !excused(file)).collect();
    assert!(
        faulty.is_empty(),
        "the first line is to be `// SPDX-License-Identifier: GPL-2.0` in {faulty:?}"
    );
    for folder in NOT_YET {
        assert!(
            silent.iter().any(|file| file.starts_with(folder)),
            "all files in {folder} say it now: take it off NOT_YET"
        );
    }
}
