// SPDX-License-Identifier: GPL-2.0

//! The examination on one screen.

use crate::check::{Check, Verdict};
use crate::examination::Examination;
use crate::stage::grouped;

/// Where what was found begins.
const INDENT: &str = "                   ";

/// All of it, in lines of at most `width` characters.
pub fn text(examination: &Examination, width: usize) -> String {
    let cpus = match examination.cpus {
        1 => "1 CPU".to_owned(),
        some => format!("{some} CPUs"),
    };
    let mut out = format!("xcap-doctor: {}, {cpus}\n", examination.role);
    for check in &examination.checks {
        out += &line(check, width);
    }
    out += if examination.loaded {
        "Stages:\n"
    } else {
        "Stages that are to be expected once xcap is loaded:\n"
    };
    for (first, stages) in grouped(&examination.stages) {
        let how = match (&first.backend, first.armed) {
            (Some(backend), true) => backend,
            _ => "not armed",
        };
        let why = first
            .why
            .as_ref()
            .map(|why| format!(": {why}"))
            .unwrap_or_default();
        out += &wrapped(
            &format!("      {how:<13}"),
            &format!("{}{why}", stages.join(" ")),
            width,
        );
    }
    out += match examination.verdict {
        Verdict::Good => "Figures of this machine will be good.\n",
        Verdict::Note => "Figures will be good; tell what is noted above along with them.\n",
        Verdict::Bad => "Figures will be doubtful, as long as what is BAD above is so.\n",
        Verdict::Fatal => "There are no figures, as long as what FAILS above does.\n",
    };
    out
}

fn line(check: &Check, width: usize) -> String {
    let verdict = match check.verdict {
        Verdict::Good => "ok",
        Verdict::Note => "note",
        Verdict::Bad => "BAD",
        Verdict::Fatal => "FAILS",
    };
    let mut out = wrapped(
        &format!("{verdict:<5} {:<13}", check.subject),
        &check.found,
        width,
    );
    if let Some(advice) = &check.advice {
        out += &wrapped(INDENT, &format!("→ {advice}"), width);
    }
    out
}

/// `text` after `label`, its further lines set in.
fn wrapped(label: &str, text: &str, width: usize) -> String {
    let options = textwrap::Options::new(width)
        .initial_indent(label)
        .subsequent_indent(INDENT)
        .break_words(false)
        // What is typed stays whole.
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    textwrap::fill(text, options) + "\n"
}
