// SPDX-License-Identifier: GPL-2.0

//! The machines that measurements are made on.

use crate::guest_files;
use crate::job::{Job, Outcome};
use crate::mispredicted::{mispredicted, Mispredicted};
use crate::shared_lines::{shared, windows, Shared};
use crate::two_cpus;
use crate::umask::{Experiment, Plan};
use anyhow::{bail, Context, Result};
use std::path::{Path, PathBuf};
use xcap_machines::build::kbuild;
use xcap_machines::config::emulation::Accelerator;
use xcap_machines::config::plugin::Plugin;
use xcap_machines::config::Copy;
use xcap_machines::materials::tools_dir;
use xcap_machines::{Config, Lab, Materials, Place};

/// Addresses don't move from boot to boot, and no watchdog wakes.
const APPEND: &str = "nokaslr nowatchdog";

/// The return of a retpoline is mispredicted by design: one for each indirect call, whoever makes it. Processors of
/// today need none.
const NO_RETPOLINES: &str = "spectre_v2=off";

pub struct Testbed {
    pub materials: Materials,
    /// The modules of known functions.
    targets: PathBuf,
    /// The C modules that xcap is compared with.
    pub peers: PathBuf,
}

impl Testbed {
    pub fn prepare(module: Option<&Path>) -> Result<Self> {
        let materials = Materials::prepare(module)?;
        let source = xcap_machines::materials::source_tree()?;
        let build = |folder| {
            let folder = source.join(folder);
            kbuild::build(&materials.cache, &materials.kernel, &folder)
        };
        let targets = build("userland/lab/targets")?;
        let peers = build("userland/bench/program/peers/modules")?;
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
            to: guest_files::path(name),
        });
        Config {
            load: false,
            memory_mib: 2048,
            append: APPEND.to_owned(),
            copies: modules.into_iter().chain(copies.iter().cloned()).collect(),
            ..Config::of([Place::Bare])
        }
    }

    /// Runs a job where an instruction is a cycle, and every run gives the same figures.
    pub fn deterministic(&self, job: &Job, copies: &[Copy]) -> Result<Outcome> {
        let command = guest_command(job)?;
        let output = Lab::run_deterministic(&self.materials, &self.config(copies), &command)?;
        outcome(&output.ok("the measurement")?)
    }

    /// What two CPUs share that call one function, where a plugin of the emulator records every access to memory.
    pub fn two_cpus(&self, calls: u32) -> Result<Vec<Shared>> {
        let folder = tempfile::tempdir()?;
        let output = folder.path().join("windows");
        let plugin = plugin("lines", &output)?;
        let config = Config {
            accelerator: Accelerator::Tcg,
            cpus: two_cpus::CPUS as u32,
            plugin: Some(plugin),
            ..self.config(&[])
        };
        self.on(&config, |lab| {
            let job = |job: &Job| outcome(&run(lab, &guest_command(job)?)?);
            let called = job(&Job {
                two_cpus: Some(calls),
                ..Job::NOTHING
            })?;
            let names = |addresses: &[u64]| {
                let symbols = addresses.to_vec();
                let outcome = job(&Job {
                    symbols,
                    ..Job::NOTHING
                });
                Ok(outcome?.symbols)
            };
            shared(called.two_cpus, &windows(&output)?, names)
        })
    }

    /// What probes do to the prediction of returns, where a plugin of the emulator models it.
    pub fn returns(&self) -> Result<Vec<Mispredicted>> {
        let folder = tempfile::tempdir()?;
        let output = folder.path().join("windows");
        let config = Config {
            plugin: Some(plugin("returns", &output)?),
            append: format!("{APPEND} {NO_RETPOLINES}"),
            ..self.config(&[])
        };
        let command = guest_command(&Job {
            returns: true,
            ..Job::NOTHING
        })?;
        let done = Lab::run_deterministic(&self.materials, &config, &command)?;
        let runs = outcome(&done.ok("the measurement")?)?.returns;
        mispredicted(&runs, &windows(&output)?)
    }

    /// The paper's experiment, by the host's clock.
    pub fn umask(&self, plan: Plan) -> Result<Experiment> {
        let words = ["xcap-bench", "umask", "--json", "-", "--quiet"].map(str::to_owned);
        let mut command = words.to_vec();
        command.extend([
            format!("--runs={}", plan.runs),
            format!("--calls={}", plan.calls),
        ]);
        if !plan.workload.is_umask() {
            command.push("--deep".to_owned());
        }
        let text = self.wall(&command, true)?;
        serde_json::from_str(&text).with_context(|| format!("xcap-bench umask printed '{text}'"))
    }

    fn wall(&self, command: &[String], load: bool) -> Result<String> {
        let config = Config {
            load,
            ..self.config(&[])
        };
        self.on(&config, |lab| run(lab, command))
    }

    fn on<T>(&self, config: &Config, act: impl FnOnce(&Lab) -> Result<T>) -> Result<T> {
        let mut lab = Lab::boot(&self.materials, config)?;
        match act(&lab) {
            Ok(result) => Ok(result),
            Err(e) => Err(lab.explain(e)),
        }
    }
}

/// The plugin of this name, which writes its windows to `output`.
fn plugin(name: &str, output: &Path) -> Result<Plugin> {
    let library = tools_dir()?.join(format!("libxcap_{name}_qemu.so"));
    if !library.exists() {
        bail!(
            "'{}' is missing: `make plugin` builds it",
            library.display()
        );
    }
    Ok(Plugin {
        library,
        output: output.to_owned(),
    })
}

/// What the command prints.
fn run(lab: &Lab, command: &[String]) -> Result<String> {
    let mut stdout = Vec::new();
    let running = lab.guest(Place::Bare).spawn(command)?;
    running.close_stdin()?;
    let output = running.forward(&mut stdout, &mut std::io::stderr())?;
    output.ok(&command.join(" "))?;
    Ok(String::from_utf8_lossy(&stdout).into_owned())
}

fn guest_command(job: &Job) -> Result<[String; 3]> {
    let job = serde_json::to_string(job)?;
    Ok(["xcap-bench".to_owned(), "guest".to_owned(), job])
}

fn outcome(text: &str) -> Result<Outcome> {
    let line = text.lines().last().unwrap_or_default();
    serde_json::from_str(line).with_context(|| format!("the guest said '{text}'"))
}
