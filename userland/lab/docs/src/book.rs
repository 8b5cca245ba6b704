// SPDX-License-Identifier: GPL-2.0

//! mdBook's part.

use std::path::Path;

use anyhow::{ensure, Result};
use xcap_machines::provide::root::Root;

use crate::pages::{write, Page};

const SETTINGS: &str = r#"[book]
title = "xcap"
language = "en"

# READMEs stay where links find them; nothing is included.
[build]
use-default-preprocessors = false

[output.html]
smart-punctuation = false
# For servers; it knows no relative links.
input-404 = ""
no-section-label = true
"#;

/// Builds the book whose sources are in `work`.
pub fn build(root: &Root, work: &Path, pages: &[Page], folder: &Path) -> Result<()> {
    let entries = pages
        .iter()
        .map(|page| format!("- [{}]({})\n", page.title, page.path.display()));
    let summary: String = ["# Summary\n\n".to_owned()]
        .into_iter()
        .chain(entries)
        .collect();
    write(&work.join("src/SUMMARY.md"), summary.as_bytes())?;
    write(&work.join("book.toml"), SETTINGS.as_bytes())?;
    std::fs::create_dir_all(folder)?;
    let folder = folder.canonicalize()?;
    let mut mdbook = root.sandbox().bind(work).bind(&folder).command("mdbook");
    let output = mdbook
        .arg("build")
        .arg(work)
        .arg("--dest-dir")
        .arg(&folder)
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "mdbook: {said}");
    ensure!(
        !said.contains("WARN") && !said.contains("ERROR"),
        "mdbook: {said}"
    );
    // Debian's mdBook has no fonts, and refers to them all the same.
    let fonts = folder.join("fonts/fonts.css");
    if !fonts.exists() {
        write(&fonts, b"/* The reader's own. */\n")?;
    }
    Ok(())
}
