// SPDX-License-Identifier: GPL-2.0

//! Real machines, each reached by a command such as `ssh root@dom0`.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, Command, Stdio};

use anyhow::{bail, Context, Result};

use super::session::{arguments, Recording, BEGUN};
use crate::part::Task;

/// How to run something on each machine, and where the cable is plugged in.
#[derive(Debug, Clone)]
pub struct Commands {
    /// Role, words of the command, interface.
    pub machines: Vec<(&'static str, Vec<String>, String)>,
    /// The hardware address that is sent to.
    pub destination: String,
}

impl Commands {
    /// The machines that are measured.
    pub fn roles(&self) -> Vec<&'static str> {
        let roles = self.machines.iter().map(|(role, ..)| *role);
        roles.filter(|role| *role != "sender").collect()
    }

    pub fn record(&self, role: &str, task: Task) -> Result<Box<dyn Recording>> {
        let machine = self.machines.iter().find(|(name, ..)| *name == role);
        let (_, words, interface) = machine.context("nobody said how to reach it")?;
        let (program, rest) = words.split_first().context("the command is empty")?;
        let mut child = Command::new(program)
            .args(rest)
            .arg("xcap-paper")
            .args(arguments(role, interface, &self.destination, task))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run '{program}'"))?;
        let said = child.stderr.take().context("its output is not ours")?;
        Ok(Box::new(Reached {
            child,
            said: BufReader::new(said),
        }))
    }
}

struct Reached {
    child: Child,
    said: BufReader<ChildStderr>,
}

impl Recording for Reached {
    fn begun(&mut self) -> Result<()> {
        let mut all = String::new();
        let mut line = String::new();
        while self.said.read_line(&mut line)? > 0 {
            if line.contains(BEGUN) {
                return Ok(());
            }
            all.push_str(&line);
            line.clear();
        }
        bail!("{}", all.trim())
    }

    fn over(&mut self) -> Result<()> {
        drop(self.child.stdin.take());
        Ok(())
    }

    fn part(mut self: Box<Self>) -> Result<Vec<u8>> {
        let mut part = Vec::new();
        if let Some(stdout) = &mut self.child.stdout {
            stdout.read_to_end(&mut part)?;
        }
        let status = self.child.wait()?;
        if !status.success() {
            let mut said = String::new();
            self.said.read_to_string(&mut said)?;
            bail!("{}", said.trim());
        }
        Ok(part)
    }
}

impl Drop for Reached {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
