// SPDX-License-Identifier: GPL-2.0

//! Runs other programs, their output kept in a file and shown when they fail.

use crate::progress::Step;
use anyhow::{bail, Context, Result};
use nix::fcntl::OFlag;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs `command`; the step shows its latest line, `log` gets all of them.
pub fn logged(command: &mut Command, log: &Path, step: &Step) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut file =
        File::create(log).with_context(|| format!("cannot write '{}'", log.display()))?;
    let (reader, writer) = nix::unistd::pipe2(OFlag::O_CLOEXEC)?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer)
        .spawn()
        .with_context(|| format!("cannot run {name}"))?;
    // The command holds the pipe's writing ends: without this the reader would never see its end.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    for line in BufReader::new(File::from(reader)).split(b'\n') {
        let line = line?;
        file.write_all(&line)?;
        file.write_all(b"\n")?;
        step.note(String::from_utf8_lossy(&line).trim());
    }
    let status = child.wait()?;
    if !status.success() {
        bail!(
            "{name} failed ({status}). Its last lines:\n{}\nAll of them: {}",
            tail(log, 15),
            log.display()
        );
    }
    Ok(())
}

/// Runs `command` and gives what it printed.
pub fn output(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {name}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{name} failed ({}): {}", output.status, said.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The last `lines` lines of a file, indented; nothing if it can't be read.
pub fn tail(path: &Path, lines: usize) -> String {
    let text = std::fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let all: Vec<&str> = text.lines().filter(|l| !l.trim().is_empty()).collect();
    let from = all.len().saturating_sub(lines);
    let shown: Vec<String> = all[from..]
        .iter()
        .map(|l| format!("  {}", l.trim_end()))
        .collect();
    shown.join("\n")
}
