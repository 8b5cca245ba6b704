// SPDX-License-Identifier: GPL-2.0

//! Real machines, each reached by a command such as `ssh root@dom0`.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, Command, Stdio};

use anyhow::{bail, Context, Result};

use super::recording::{Machines, Recording, Source};
use crate::part::Task;
use crate::record::{arguments, BEGUN, MARKS};
use crate::role::Role;
use crate::run_id::Environment;
use crate::testbed::Emulator;

/// How to run something on each machine, and where the cable is plugged in.
#[derive(Debug, Clone)]
pub struct Commands {
    pub machines: Vec<Machine>,
    /// The hardware address that is sent to.
    pub destination: String,
}

/// How one machine is reached.
#[derive(Debug, Clone)]
pub struct Machine {
    pub role: Role,
    /// The command that runs what follows it there.
    pub words: Vec<String>,
    pub interface: String,
}

impl Source for Commands {
    fn start(&mut self, _: Environment) -> Result<Box<dyn Machines>> {
        Ok(Box::new(self.clone()))
    }

    fn attempts(&self) -> u32 {
        1
    }

    fn emulator(&self) -> Option<Emulator> {
        None
    }
}

impl Machines for Commands {
    fn roles(&self) -> Vec<Role> {
        let roles = self.machines.iter().map(|machine| machine.role);
        roles.filter(|role| *role != Role::Sender).collect()
    }

    fn record(&self, role: Role, task: Task) -> Result<Box<dyn Recording>> {
        self.on_machine(role, task, None)
    }

    fn record_marks(&self, role: Role, task: Task) -> Result<Box<dyn Recording>> {
        self.on_machine(role, task, Some(MARKS))
    }
}

impl Commands {
    fn on_machine(
        &self,
        role: Role,
        task: Task,
        option: Option<&str>,
    ) -> Result<Box<dyn Recording>> {
        let machine = self.machines.iter().find(|machine| machine.role == role);
        let machine = machine.context("nobody said how to reach it")?;
        let (program, rest) = machine
            .words
            .split_first()
            .context("the command is empty")?;
        let mut child = Command::new(program)
            .args(rest)
            .arg("xcap-paper")
            .args(arguments(role, &machine.interface, &self.destination, task))
            .args(option)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run '{program}'"))?;
        let said = child.stderr.take().context("its output is not ours")?;
        Ok(Box::new(OnMachine {
            child,
            said: BufReader::new(said),
        }))
    }
}

struct OnMachine {
    child: Child,
    said: BufReader<ChildStderr>,
}

impl Recording for OnMachine {
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

impl Drop for OnMachine {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
