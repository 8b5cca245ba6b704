// SPDX-License-Identifier: GPL-2.0

//! Shows a page in Chromium, without a screen, and asks it how it looks there.

mod site;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

pub use site::Site;

/// A window that a page is shown in.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// In pixels.
    pub width: u32,
    pub height: u32,
    /// Whether who looks prefers dark colours.
    pub dark: bool,
}

/// What was seen.
#[derive(Debug)]
pub struct Seen {
    /// What the script answered.
    pub answer: Value,
    /// The lines of the browser's console.
    pub console: Vec<String>,
}

impl Window {
    /// Shows `page`, in a frame, and runs `script` around it, which leaves its answer as JSON in an element `pre` with
    /// the id `answer`. Links of the page lead from its own folder, where a file `around.html` comes to be.
    ///
    /// # Errors
    ///
    /// There is no Chromium, the page can't be read, or nothing was answered.
    pub fn show(self, page: &Path, script: &str) -> Result<Seen> {
        let Self {
            width,
            height,
            dark,
        } = self;
        let html = fs::read_to_string(page)
            .with_context(|| format!("cannot read '{}'", page.display()))?
            .replace('&', "&amp;")
            .replace('"', "&quot;");
        let around = page.with_file_name("around.html");
        let frame = format!(
            r#"<iframe width="{width}" height="{height}" style="border:0" srcdoc="{html}"></iframe>"#
        );
        let text = format!("<!doctype html><meta charset=utf-8><link rel=icon href=data:,>{frame}<script>{script}</script>");
        fs::write(&around, text).with_context(|| format!("cannot write '{}'", around.display()))?;
        let profile = tempfile::tempdir()?;
        let mut command = browser(profile.path())?;
        command.args(["--enable-logging=stderr", "--timeout=60000", "--dump-dom"]);
        if dark {
            command.arg("--blink-settings=preferredColorScheme=0");
        }
        command.arg(format!("file://{}", around.display()));
        let output = command.output().context("cannot start Chromium")?;
        let said = String::from_utf8_lossy(&output.stderr);
        let console = said.lines().filter(|line| line.contains("CONSOLE"));
        let console = console.map(str::to_owned).collect();
        let dom = String::from_utf8(output.stdout)?;
        let answer = dom
            .split_once(r#"<pre id="answer">"#)
            .and_then(|(_, after)| after.split_once("</pre>"))
            .context("the page didn't load")?
            .0
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&");
        Ok(Seen {
            answer: serde_json::from_str(&answer)?,
            console,
        })
    }
}

/// A Chromium that has no screen and asks nobody for anything.
fn browser(profile: &Path) -> Result<Command> {
    let mut command = Command::new(chromium()?);
    command.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--window-size=1400,1000",
    ]);
    command.arg(format!("--user-data-dir={}", profile.display()));
    Ok(command)
}

fn chromium() -> Result<PathBuf> {
    let places = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&places)
        .flat_map(|place| {
            ["chromium", "chromium-browser", "google-chrome"].map(|name| place.join(name))
        })
        .find(|path| path.exists())
        .context("no Chromium here to look at the page with: install Debian's package chromium")
}
