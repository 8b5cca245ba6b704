// SPDX-License-Identifier: GPL-2.0

//! The section of docs/benchmarks.md.

use crate::record::{Calibrated, Silicon};
use crate::tables::{costs, ticks, truths, Table};
use std::fmt::Write;

const HEADING: &str = "## On a real processor\n";

fn table(out: &mut String, table: &Table) {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let _ = write!(out, "{}:\n\n{}", table.title, line(&table.header));
    let _ = writeln!(out, "|---|{}", "--:|".repeat(table.header.len() - 1));
    for row in &table.rows {
        out.push_str(&line(row));
    }
    out.push('\n');
}

/// The section, from its heading on.
pub fn section(silicon: &Silicon) -> String {
    let mut out = format!(
        "{HEADING}\n\
         Made by `make silicon`; edit userland/bench/silicon/src/document.rs, not this.\n\n\
         What a hit costs in ticks of the TSC, measured on one processor by running the module's own\n\
         kmod/hot_path.S in user space: no root, no kernel, a minute. Functions there begin with five bytes\n\
         that are written over as ftrace does it, under chains of so many callers; per-CPU memory is reached\n\
         through `gs`.\n\n\
         - Processor: {}; TSC {} kHz.{}\n\
         - {} repetitions of {} calls, interleaved: each without a probe and with each variant. What stands\n  \
         here is the cheapest with a probe less the cheapest without; *noise* where the median's interval at\n  \
         {} % is too wide to say anything.\n\
         - Floor: **{} ticks**, two `rdtsc` in a function that a loop calls. The clock is read while callers\n  \
         return, so that a hit that mispredicts nothing adds the less the deeper it is.\n\
         - *jump*, *call*: how ftrace enters the trampoline; `probes` says which it is. *call-shared*: where\n  \
         livepatch may change the function. *floor*: two `rdtsc` in the function's place. *shape-…*: what\n  \
         another mechanism does at the entry and the return, written anew from how it is documented, with\n  \
         count and sum only: the mechanism itself costs more. *return-to-handler* is ftrace's function graph\n  \
         and fprobe; *rethook* is kretprobe, *bpf-fexit* a BPF trampoline.\n\
         - *thunk* and *safe-ret*: kernels that return through a jump, as mitigations have them do.\n",
        silicon.cpu,
        silicon.tsc_khz,
        if silicon.is_virtual {
            " Another guest\n  may have been at work beside it."
        } else {
            ""
        },
        silicon.repetitions,
        silicon.calls,
        silicon.level,
        ticks(silicon.floor_ticks),
    );
    for note in &silicon.notes {
        let _ = writeln!(out, "- {}", note.replace('\n', " "));
    }
    out.push('\n');
    for one in costs(silicon) {
        table(&mut out, &one);
    }
    truth(&mut out, silicon);
    out
}

fn truth(out: &mut String, silicon: &Silicon) {
    let all = silicon.truth.len();
    let _ = write!(
        out,
        "### Whether the reports are true on it\n\n\
         Functions of known length, measured without a probe in the same run: a *leaf* that is probed, and\n\
         the *outer* function that calls it through so many callers, probed too. What stands here is what\n\
         the corrected mean, as xcap-read has it, is wrong by; ✗ where that is more than 2 ticks and 2 %.\n\
         {} of {all} hold. *plain*: instructions that do nothing; *dependent*: each waits for the last, so that\n\
         both ends run beside what is around them; *clocked*: the same, and the first waits for the clock;\n\
         *fenced*: nothing runs beside it.\n\n\
         The clock is read without an order: a reading keeps the processor for half the floor, and how much\n\
         of that runs beside the function is the function's matter. An empty one shows it all, a fenced one more;\n\
         into a dependent one it reaches so far that the sample is shorter than the function. No one number\n\
         is right for all: where a corrected mean is smaller than half the floor, it can't be told from 0. What is\n\
         taken off is what 100 dependent multiplications show beyond what they add to a loop, of the functions\n\
         and lengths tried the one with which most of these figures hold.\n\n",
        all - silicon.wrong(),
    );
    let calibrated = |one: &Calibrated| {
        format!(
            "{} ({}): {} ticks inside, {} in all",
            one.variant,
            one.return_thunks,
            ticks(one.inside),
            ticks(one.whole)
        )
    };
    let calibrated: Vec<String> = silicon.calibrated.iter().map(calibrated).collect();
    let _ = write!(
        out,
        "A hit's cost as calibrated:\n{}.\n\n",
        calibrated.join(";\n")
    );
    for one in truths(silicon) {
        table(out, &one);
    }
}

/// The section in `document`, if there is one.
pub fn section_of(document: &str) -> Option<&str> {
    let begin = document.find(HEADING)?;
    let rest = &document[begin..];
    let end = rest[HEADING.len()..]
        .find("\n## ")
        .map_or(rest.len(), |at| HEADING.len() + at + 1);
    Some(&rest[..end])
}

/// `document` with this section in place of its own, or before all others.
pub fn place(document: &str, section: &str) -> String {
    let section = section.trim_end().to_owned() + "\n\n";
    match section_of(document) {
        Some(old) => document.replacen(old, &section, 1).trim_end().to_owned() + "\n",
        None => match document.find("\n## ") {
            Some(at) => [&document[..=at], &section, &document[at + 1..]].concat(),
            None => [document.trim_end(), "\n\n", section.trim_end(), "\n"].concat(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OTHERS: &str = "# Title\n\nWords.\n\n## Conditions\n\nSome.\n";

    #[test]
    fn a_section_is_placed_first_and_replaced_where_it_is() {
        let section = format!("{HEADING}\nNumbers.\n### Part\nMore.\n");
        let placed = place(OTHERS, &section);
        assert_eq!(
            placed,
            format!("# Title\n\nWords.\n\n{section}\n## Conditions\n\nSome.\n")
        );
        assert_eq!(
            section_of(&placed).map(str::trim_end),
            Some(section.trim_end())
        );
        assert_eq!(place(&placed, &section), placed);
        let other = format!("{HEADING}\nOther numbers.\n");
        let replaced = place(&placed, &other);
        assert!(replaced.contains("Other numbers.") && !replaced.contains("More."));
        assert!(replaced.starts_with("# Title") && replaced.ends_with("Some.\n"));
    }

    #[test]
    fn a_document_without_sections_gets_one() {
        let section = format!("{HEADING}\nNumbers.\n");
        let placed = place("# Title\n", &section);
        assert_eq!(placed, format!("# Title\n\n{section}"));
        assert_eq!(place(&placed, &section), placed);
        assert_eq!(section_of(OTHERS), None);
    }
}
