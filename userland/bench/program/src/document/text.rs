// SPDX-License-Identifier: GPL-2.0

//! Pieces of Markdown.

/// What a table shows of what is not known.
pub const UNKNOWN: &str = "–";

pub fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or(UNKNOWN.to_owned(), |value| format!("{value:.digits$}"))
}

pub fn table(out: &mut String, header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    out.push_str(&line(header.iter().map(|&cell| cell.to_owned()).collect()));
    out.push_str("|---|");
    out.push_str(&"--:|".repeat(header.len() - 1));
    out.push('\n');
    for row in rows {
        out.push_str(&line(row));
    }
    out.push('\n');
}
