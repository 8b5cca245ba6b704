// SPDX-License-Identifier: GPL-2.0

//! Tools that are programs: SystemTap, bpftrace, perf.

use super::armed::{Armed, Reading};
use super::output::Format;
use crate::kernel_module;
use anyhow::{bail, Context, Result};
use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;
use std::fs::{self, File};
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// In the machine's own time, of which an emulated second may be several.
const PATIENCE: Duration = Duration::from_secs(120);

struct Process {
    child: Child,
    stdout: tempfile::NamedTempFile,
    stderr: tempfile::NamedTempFile,
    format: Format,
    module: Option<String>,
}

pub fn arm(
    function: &str,
    commands: &[(String, Vec<String>)],
    format: Format,
    module: Option<&str>,
) -> Result<Box<dyn Armed>> {
    let command = commands.iter().find(|(name, _)| name == function);
    let (_, command) = command.with_context(|| format!("no command for {function}"))?;
    let (program, arguments) = command.split_first().context("an empty command")?;
    let stdout = tempfile::NamedTempFile::new()?;
    let stderr = tempfile::NamedTempFile::new()?;
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(stdout.reopen()?)
        .stderr(stderr.reopen()?)
        .spawn()
        .with_context(|| format!("cannot run {program}"))?;
    let mut process = Box::new(Process {
        child,
        stdout,
        stderr,
        format,
        module: module.map(str::to_owned),
    });
    process.await_hook(function)?;
    Ok(process)
}

/// Whether anything is hooked on the function's ftrace entry.
fn is_hooked(function: &str) -> Result<bool> {
    let list = fs::read_to_string("/sys/kernel/tracing/enabled_functions")?;
    Ok(list
        .lines()
        .any(|line| line.split([' ', '\t']).next() == Some(function)))
}

impl Process {
    fn await_hook(&mut self, function: &str) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !is_hooked(function)? {
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended ({status}): {}", self.said()?);
            }
            if Instant::now() > deadline {
                bail!(
                    "it hooked nothing on {function} within {} s: {}",
                    PATIENCE.as_secs(),
                    self.said()?
                );
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// What it said on both outputs, the end of it.
    fn said(&mut self) -> Result<String> {
        let mut text = String::new();
        for mut output in [self.stdout.reopen()?, self.stderr.reopen()?] {
            let mut bytes = Vec::new();
            output.read_to_end(&mut bytes)?;
            text.push_str(&String::from_utf8_lossy(&bytes));
        }
        let lines: Vec<&str> = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        Ok(lines[lines.len().saturating_sub(6)..].join("; "))
    }

    fn wait(&mut self) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while self.child.try_wait()?.is_none() {
            if Instant::now() > deadline {
                bail!(
                    "it didn't end within {} s of being interrupted: {}",
                    PATIENCE.as_secs(),
                    self.said()?
                );
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }
}

impl Armed for Process {
    fn memory_kib(&self) -> Result<u64> {
        let module = self
            .module
            .as_deref()
            .map_or(Ok(0), kernel_module::size_kib)?;
        Ok(module + resident_kib(self.child.id())?)
    }

    fn finish(mut self: Box<Self>) -> Result<Reading> {
        kill(Pid::from_raw(self.child.id() as i32), Signal::SIGINT)?;
        self.wait()?;
        let mut text = String::new();
        File::read_to_string(&mut self.stdout.reopen()?, &mut text)?;
        match self.format.parse(&text) {
            Ok(reading) => Ok(reading),
            Err(e) => bail!("{e:#}: {}", self.said()?),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail where it has ended, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Greatest resident size of a process and of all that it started, in KiB.
fn resident_kib(pid: u32) -> Result<u64> {
    let processes = procfs::process::all_processes().context("cannot read /proc")?;
    // A process may end while we look.
    let all: Vec<_> = processes
        .filter_map(|process| process.ok()?.status().ok())
        .collect();
    let mut sum = 0;
    let mut family = vec![pid as i32];
    while let Some(member) = family.pop() {
        let itself = all.iter().filter(|process| process.pid == member);
        sum += itself.filter_map(|process| process.vmhwm).sum::<u64>();
        let children = all.iter().filter(|process| process.ppid == member);
        family.extend(children.map(|process| process.pid));
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_started_counts_with_it() {
        let alone = resident_kib(std::process::id()).unwrap();
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let of_child = resident_kib(child.id()).unwrap();
        let both = resident_kib(std::process::id()).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(of_child > 0);
        assert!(
            both > alone && both > of_child,
            "{both} of {alone} and {of_child}"
        );
    }
}
