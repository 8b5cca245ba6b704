// SPDX-License-Identifier: GPL-2.0

//! A program's page, of its command line's definition.

use anyhow::Result;
use clap_mangen::Man;

use crate::commands;
use crate::made::Made;
use crate::program::Program;
use crate::roff;

/// The page: what clap knows, the examples that `--help` ends with, and what is written.
pub fn page(program: &Program) -> Result<Made> {
    let after = program.command.get_after_help().map(ToString::to_string);
    let command = program.command.clone().after_help("");
    let version = command.get_version().unwrap_or_default().to_owned();
    let man = Man::new(command)
        .manual("xcap")
        .source(format!("xcap {version}"));
    let mut text = Vec::new();
    man.render_title(&mut text)?;
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    text.extend(commands::section(&program.command).into_bytes());
    for block in after.iter().flat_map(|after| after.split("\n\n")) {
        text.extend(section(block).into_bytes());
    }
    text.extend(program.written.as_bytes());
    Ok(Made {
        path: format!("man/man1/{}.1", program.name).into(),
        text,
    })
}

/// A paragraph of `--help`'s end as a section: `Examples: …`, `Exit status: …`, or a note.
fn section(block: &str) -> String {
    let Some((title, rest)) = block.split_once(':') else {
        return format!(".SH NOTES\n{}\n", flowing(block));
    };
    match title.split(',').next().unwrap_or(title) {
        "Examples" => format!(
            ".SH EXAMPLES\n{}",
            roff::example(rest.trim_start_matches('\n'))
        ),
        "Exit status" => format!(".SH EXIT STATUS\n{}\n", flowing(rest)),
        _ => format!(".SH NOTES\n{}\n", flowing(block)),
    }
}

fn flowing(block: &str) -> String {
    let words: Vec<_> = block.split_whitespace().collect();
    roff::text(&words.join(" "))
}
