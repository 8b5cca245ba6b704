// SPDX-License-Identifier: GPL-2.0

//! The man pages.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{ensure, Context, Result};
use xcap_machines::provide::root::Root;

use crate::pages::{write, Page};

/// Makes pages of the man pages.
pub fn gather(root: &Root, sources: &Path) -> Result<Vec<Page>> {
    let pages = xcap_manual::man()?.into_iter();
    pages
        .map(|made| {
            let name = made.path.file_name().context("a page without name")?;
            let name = name.to_string_lossy().into_owned();
            let (title, section) = name.rsplit_once('.').context("a page without section")?;
            let title = format!("{title}({section})");
            let path = PathBuf::from(format!("man/{name}.md"));
            let html = html(root, &made.text)?;
            write(
                &sources.join(&path),
                format!("# {title}\n\n{html}\n").as_bytes(),
            )?;
            Ok(Page { title, path })
        })
        .collect()
}

/// As a block of HTML in Markdown, which an empty line would end.
fn html(root: &Root, roff: &[u8]) -> Result<String> {
    let mut mandoc = root
        .sandbox()
        .command("mandoc")
        .args(["-T", "html", "-O", "fragment"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    mandoc
        .stdin
        .take()
        .context("piped above")?
        .write_all(roff)?;
    let output = mandoc.wait_with_output()?;
    ensure!(output.status.success(), "mandoc failed: {}", output.status);
    let html = String::from_utf8(output.stdout)?;
    let lines = html.lines().map(|line| {
        if line.trim().is_empty() {
            "&#8203;"
        } else {
            line
        }
    });
    Ok(lines.collect::<Vec<_>>().join("\n"))
}
