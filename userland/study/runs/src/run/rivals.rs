// SPDX-License-Identifier: GPL-2.0

//! Other tools that time the stages' functions, in xcap's place.

use std::time::Duration;

use anyhow::{Context, Result};
use nix::libc::SIGINT;
use xcap_abi::paths::{CONTROL, STATS};
use xcap_machines::config::Copy;
use xcap_machines::{Lab, Running};

use crate::run_id::Environment;

/// An emulated machine takes long to compile a script.
const PATIENCE: Duration = Duration::from_secs(240);

/// A kernel function, and the module that it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    pub name: String,
    pub module: Option<String>,
}

/// A program that times functions until it is interrupted.
#[derive(Debug, Clone)]
pub struct Program {
    pub command: Vec<String>,
    pub files: Vec<Copy>,
}

/// Why a tool can't.
pub type Unable = String;

/// Where such tools are from.
pub trait Rivals: Sync {
    /// What their programs need, whatever they time: in the machine when it starts.
    fn files(&self) -> Vec<Copy>;

    /// What would time these functions: names, each with its program or the reason why there is none.
    fn of(&self, functions: &[Function]) -> Vec<(String, std::result::Result<Program, Unable>)>;
}

/// A tool that is in a lab's machine.
#[derive(Debug, Clone)]
pub struct Rival {
    pub name: String,
    command: Vec<String>,
    pub functions: Vec<String>,
}

/// A tool that is at work.
pub struct Measuring(Running);

impl Measuring {
    pub fn end(self) -> Result<()> {
        self.0.signal(SIGINT)?;
        // What it prints is its own business, and how it ends too.
        self.0.wait(PATIENCE).map(drop)
    }
}

impl Rival {
    /// Starts it, and waits until every function is hooked.
    pub fn start(&self, lab: &Lab) -> Result<Measuring> {
        let guest = lab.guest(lab.capturing_place());
        let mut words = vec!["sh".to_owned(), "-c".into()];
        words.push("exec \"$@\" >/tmp/rival.log 2>&1".into());
        words.push("sh".into());
        words.extend(self.command.iter().cloned());
        let measuring = guest.spawn(&words)?;
        let hooked = format!(
            "n=0; for f in {}; do until grep -q \"^$f[[:space:]]\" /sys/kernel/tracing/enabled_functions; do \
             n=$((n + 1)); [ $n -lt 1200 ] || {{ tail -n 3 /tmp/rival.log >&2; exit 1; }}; sleep 0.1; done; done",
            self.functions.join(" ")
        );
        guest.sh(&hooked).context("it hooks nothing")?;
        Ok(Measuring(measuring))
    }
}

type Made = std::result::Result<Rival, (String, Unable)>;

/// Brings the tools into the machine that captures.
pub fn ready(lab: &Lab, environment: Environment, rivals: &dyn Rivals) -> Result<Vec<Made>> {
    let guest = lab.guest(lab.capturing_place());
    // Those that xcap hooks here, on the path alone.
    guest.sh(&format!(
        "[ -d /sys/module/xcap ] || insmod /lab/xcap.ko; echo start >{CONTROL}"
    ))?;
    let stats = guest.sh(&format!("cat {STATS}"))?;
    let stats = xcap_stats::parse(&stats)?;
    let symbols = guest.sh("grep '\\[' /proc/kallsyms")?;
    let module = |name: &str| {
        let line = symbols
            .lines()
            .find(|line| line.split_whitespace().nth(2) == Some(name))?;
        let word = line.split_whitespace().nth(3)?;
        Some(word.trim_matches(['[', ']']).to_owned())
    };
    let armed = stats.stages.iter().filter(|stage| stage.backend.is_some());
    let functions: Vec<Function> = armed
        .filter_map(|stage| stage.function.as_deref())
        .map(|name| Function {
            module: module(name),
            name: name.to_owned(),
        })
        .collect();
    let mut made = Vec::new();
    let files = rivals.files();
    for (name, program) in rivals.of(&functions) {
        let program = match (program, environment.is_xen()) {
            (Ok(program), false) => program,
            (Ok(program), true) => {
                made.push(Err((name, too_large(&program))));
                continue;
            }
            (Err(reason), _) => {
                made.push(Err((name, reason)));
                continue;
            }
        };
        let here = |file: &&Copy| !files.iter().any(|other| other.to == file.to);
        for file in program.files.iter().filter(here) {
            let bytes = std::fs::read(&file.from)
                .with_context(|| format!("cannot read '{}'", file.from.display()))?;
            if let Some((folder, _)) = file.to.rsplit_once('/') {
                guest.sh(&format!("mkdir -p '{folder}'"))?;
            }
            guest.write_file(&file.to, &bytes)?;
            guest.sh(&format!("chmod 755 '{}'", file.to))?;
        }
        made.push(Ok(Rival {
            name,
            command: program.command,
            functions: functions.iter().map(|of| of.name.clone()).collect(),
        }));
    }
    Ok(made)
}

/// A domU is reached over its console alone.
fn too_large(program: &Program) -> Unable {
    let sizes = program.files.iter();
    let bytes: u64 = sizes
        .filter_map(|file| Some(std::fs::metadata(&file.from).ok()?.len()))
        .sum();
    format!(
        "not tried in Xen: its {} MB would have to go into each domain",
        bytes >> 20
    )
}
