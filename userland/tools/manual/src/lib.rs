// SPDX-License-Identifier: GPL-2.0

//! Man pages and completions: what the programs' own definitions say, and what is written in `pages/`.

mod commands;
mod completions;
mod made;
mod program;
mod roff;
mod section1;
mod words;
mod written;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

pub use made::Made;

/// All man pages.
pub fn man() -> Result<Vec<Made>> {
    let mut made = Vec::new();
    for program in program::all() {
        made.push(section1::page(&program)?);
    }
    made.extend(written::pages());
    Ok(made)
}

/// What bash, zsh and fish complete.
pub fn completions() -> Vec<Made> {
    program::all().iter().flat_map(completions::of).collect()
}

/// Writes them below `share`.
pub fn write(made: &[Made], share: &Path) -> Result<()> {
    for Made { path, text } in made {
        let path = share.join(path);
        let written = path
            .parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&path, text));
        written.with_context(|| format!("cannot write '{}'", path.display()))?;
    }
    Ok(())
}
