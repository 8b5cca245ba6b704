// SPDX-License-Identifier: GPL-2.0

//! Every source file says first under which licence it is.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use xcap_house::crates::source_tree;

use crate::tracked;

const SOURCES: [&str; 5] = ["S", "c", "h", "rs", "sh"];

/// Files without an extension that are sources, too; and so is what begins with `#!`.
const NAMES: [&str; 2] = ["Kbuild", "Makefile"];

fn is_source(file: &Path, text: &str) -> bool {
    let is_in = |part: Option<&OsStr>, list: &[&str]| {
        part.is_some_and(|part| list.iter().any(|&name| part == name))
    };
    is_in(file.extension(), &SOURCES) || is_in(file.file_name(), &NAMES) || text.starts_with("#!")
}

fn says_so(text: &str) -> bool {
    let mut lines = text.lines().skip_while(|line| line.starts_with("#!"));
    lines
        .next()
        .is_some_and(|line| line.contains("SPDX-License-Identifier: GPL-2.0"))
}

#[test]
fn sources_begin_with_their_licence() {
    let silent: Vec<_> = tracked::files()
        .into_iter()
        .filter(|file| {
            let text = fs::read(source_tree().join(file)).expect("it can be read");
            let text = String::from_utf8_lossy(&text);
            is_source(file, &text) && !says_so(&text)
        })
        .collect();
    assert!(
        silent.is_empty(),
        "the first line is to be `// SPDX-License-Identifier: GPL-2.0` in {silent:?}"
    );
}
