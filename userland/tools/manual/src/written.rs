// SPDX-License-Identifier: GPL-2.0

//! The pages that are written; lines `@NAME@` in them stand for lists of the words of abi/.

use crate::made::Made;
use crate::words::list;

const PAGES: [(&str, &str); 2] = [
    ("man/man4/xcap.4", include_str!("../pages/xcap.4")),
    (
        "man/man5/xcap-stats.5",
        include_str!("../pages/xcap-stats.5"),
    ),
];

/// All of them.
pub fn pages() -> impl Iterator<Item = Made> {
    PAGES.into_iter().map(|(path, text)| Made {
        path: path.into(),
        text: filled(text).into_bytes(),
    })
}

fn filled(page: &str) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let lines = page.replace("@VERSION@", version);
    lines
        .lines()
        .map(|line| {
            let name = line
                .strip_prefix('@')
                .and_then(|rest| rest.strip_suffix('@'));
            name.and_then(list).unwrap_or_else(|| format!("{line}\n"))
        })
        .collect()
}
