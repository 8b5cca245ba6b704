//! The machines that measurements are made on.

use crate::job::{place, Job, Outcome};
use crate::umask::{Experiment, Plan};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use xcap_lab::config::Copy;
use xcap_lab::{kbuild, Config, Lab, Materials, Where};

/// Addresses don't move from boot to boot, and no watchdog wakes.
const APPEND: &str = "nokaslr nowatchdog";

pub struct Bed {
    pub materials: Materials,
    /// The modules of known functions.
    targets: PathBuf,
    /// The C modules that xcap is compared with.
    pub peers: PathBuf,
}

impl Bed {
    pub fn prepare(module: Option<&Path>) -> Result<Self> {
        let materials = Materials::prepare(module)?;
        let source = xcap_lab::materials::source_tree()?;
        let targets = kbuild::build(&materials, &source.join("lab/targets"))?;
        let peers = kbuild::build(&materials, &source.join("lab/peers/modules"))?;
        Ok(Self {
            materials,
            targets,
            peers,
        })
    }

    fn config(&self, copies: &[Copy]) -> Config {
        let modules = [
            (&self.targets, "xcap_targets.ko"),
            (&self.peers, "c_kretprobe.ko"),
            (&self.peers, "c_fprobe.ko"),
        ];
        let modules = modules.map(|(folder, name)| Copy {
            from: folder.join(name),
            to: place(name),
        });
        Config {
            load: false,
            memory_mib: 2048,
            append: APPEND.to_owned(),
            copies: modules.into_iter().chain(copies.iter().cloned()).collect(),
            ..Config::of([Where::Bare])
        }
    }

    /// Runs a job where an instruction is a cycle, and every run gives the same figures.
    pub fn deterministic(&self, job: &Job, copies: &[Copy]) -> Result<Outcome> {
        let command = [
            "xcap-bench".to_owned(),
            "guest".to_owned(),
            serde_json::to_string(job)?,
        ];
        let output = Lab::run_deterministic(&self.materials, &self.config(copies), &command)?;
        outcome(&output.ok("the measurement")?)
    }

    /// Runs a job on two CPUs, by the host's clock.
    pub fn two_cpus(&self, job: &Job) -> Result<Outcome> {
        let text = self.wall(
            &[
                "xcap-bench".to_owned(),
                "guest".to_owned(),
                serde_json::to_string(job)?,
            ],
            false,
        )?;
        outcome(&text)
    }

    /// The paper's experiment, by the host's clock.
    pub fn umask(&self, plan: Plan) -> Result<Experiment> {
        let words = ["xcap-bench", "umask", "--json", "-", "--quiet"].map(str::to_owned);
        let mut command = words.to_vec();
        command.extend([
            format!("--runs={}", plan.runs),
            format!("--calls={}", plan.calls),
        ]);
        let text = self.wall(&command, true)?;
        serde_json::from_str(&text).with_context(|| format!("xcap-bench umask printed '{text}'"))
    }

    fn wall(&self, command: &[String], load: bool) -> Result<String> {
        let config = Config {
            load,
            ..self.config(&[])
        };
        let mut lab = Lab::boot(&self.materials, &config)?;
        let mut stdout = Vec::new();
        let ran = lab.guest(Where::Bare).spawn(command).and_then(|running| {
            running.close_stdin()?;
            running
                .forward(&mut stdout, &mut std::io::stderr())?
                .ok(&command.join(" "))
        });
        match ran {
            Ok(_) => Ok(String::from_utf8_lossy(&stdout).into_owned()),
            Err(e) => Err(lab.explain(e)),
        }
    }
}

fn outcome(text: &str) -> Result<Outcome> {
    let line = text.lines().last().unwrap_or_default();
    serde_json::from_str(line).with_context(|| format!("the guest said '{text}'"))
}
