// SPDX-License-Identifier: GPL-2.0

//! Tools that are programs: SystemTap, bpftrace, perf.

use super::{module::module_kib, Armed, Format, Reading};
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
        let module = self.module.as_deref().map_or(Ok(0), module_kib)?;
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

/// Greatest resident size of a process and of all that it started.
fn resident_kib(pid: u32) -> Result<u64> {
    let mut sum = 0;
    let mut family = vec![pid];
    let mut rest: Vec<(u32, u32, u64)> = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let Some(pid) = entry?
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        // A process may end while we look.
        let Ok(status) = fs::read_to_string(format!("/proc/{pid}/status")) else {
            continue;
        };
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse::<u64>().ok()
        };
        let parent = field("PPid:").unwrap_or(0) as u32;
        rest.push((pid, parent, field("VmHWM:").unwrap_or(0)));
    }
    while let Some(member) = family.pop() {
        for &(pid, parent, size) in &rest {
            if pid == member {
                sum += size;
            }
            if parent == member {
                family.push(pid);
            }
        }
    }
    Ok(sum)
}
