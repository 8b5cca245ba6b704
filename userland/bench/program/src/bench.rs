// SPDX-License-Identifier: GPL-2.0

//! The whole benchmark: every probe and peer, scale, and the paper's experiment, on one kernel.

use crate::check::own_rows;
use crate::control::BACKENDS;
use crate::exact::Exactness;
use crate::hit::Hit;
use crate::job::Job;
use crate::marks::Marked;
use crate::mispredicted::Mispredicted;
use crate::peers::{Peer, Peers, Ready, PEERS};
use crate::scale::Scale;
use crate::shared_lines::Shared;
use crate::targets::KNOWN_LENGTH;
use crate::testbed::Testbed;
use crate::tool::Tool;
use crate::umask::{Experiment, Plan};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use xcap_machines::run;

/// Calls of each CPU when two hit one probe: a prime, so that no other count is taken for it.
const SHARED_CALLS: u32 = 30_011;

/// One probe in the table, and in `bench.json`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Row {
    pub probe: String,
    pub works: bool,
    /// Why it doesn't work.
    pub reason: Option<String>,
    pub version: Option<String>,
    pub instructions_per_call: Option<f64>,
    /// Instructions of an unprobed call, in the same guest.
    pub unprobed: Option<f64>,
    pub times_unprobed: Option<f64>,
    /// Mean that it reports for a function of `known_length` instructions.
    pub reported_mean: Option<f64>,
    /// The same less its own cost, where it knows that.
    pub corrected_mean: Option<f64>,
    pub known_length: f64,
    pub calls: Option<u64>,
    /// Calls that it did not count.
    pub lost: Option<u64>,
    pub arm_ms: Option<f64>,
    pub memory_kib: Option<u64>,
    pub install_mb: Option<f64>,
    pub note: Option<String>,
}

/// All that a benchmark found.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Benchmark {
    pub kernel: String,
    pub qemu: String,
    pub rows: Vec<Row>,
    pub exact: Vec<Exactness>,
    #[serde(default)]
    pub marks: Vec<Marked>,
    pub scale: Vec<Scale>,
    pub two_cpus: Vec<Shared>,
    #[serde(default)]
    pub returns: Vec<Mispredicted>,
    pub umask: Option<Experiment>,
    /// Parts that could not be measured, and why.
    pub failed: BTreeMap<String, String>,
}

impl Row {
    fn of(hit: Hit) -> Self {
        let mut row = Self {
            probe: hit.probe,
            unprobed: Some(hit.unprobed),
            known_length: KNOWN_LENGTH,
            ..Self::default()
        };
        match hit.outcome {
            Err(reason) => row.reason = Some(reason),
            Ok(cost) => {
                row.works = true;
                row.instructions_per_call = Some(cost.instructions);
                row.times_unprobed = Some(cost.instructions / hit.unprobed);
                row.calls = Some(cost.calls);
                row.lost = Some(cost.lost);
                row.arm_ms = Some(cost.arm_ms);
                row.memory_kib = Some(cost.memory_kib);
                match cost.known {
                    Ok(reading) => {
                        row.reported_mean = reading.mean;
                        row.corrected_mean = reading.corrected;
                    }
                    Err(reason) => row.note = Some(format!("on the known function: {reason}")),
                }
            }
        }
        row
    }

    fn failed(probe: &str, reason: &anyhow::Error) -> Self {
        Self {
            probe: probe.to_owned(),
            reason: Some(format!("{reason:#}")),
            known_length: KNOWN_LENGTH,
            ..Self::default()
        }
    }

    /// What was known before it ran.
    fn with(mut self, ready: &Ready) -> Self {
        self.version = Some(ready.version.clone());
        self.install_mb = Some(ready.install_mb);
        let notes = [&ready.note, self.note.as_ref().unwrap_or(&String::new())]
            .map(String::as_str)
            .join("; ");
        let notes = notes.trim_matches([';', ' ']);
        self.note = (!notes.is_empty()).then(|| notes.to_owned());
        self
    }
}

/// A part that can be measured alone; what the others found before is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Part {
    /// xcap's backends and the C modules
    Probes,
    /// Other people's tools
    Peers,
    /// Cost and memory with up to 512 probes
    Scale,
    /// Two CPUs at one probe
    Cpus,
    /// Returns that a processor would mispredict
    Returns,
    /// The paper's experiment
    Umask,
}

/// Writes down what was found so far.
pub type Keep<'a> = dyn Fn(&Benchmark) + 'a;

impl Benchmark {
    pub fn new(testbed: &Testbed) -> Result<Self> {
        let mut qemu = testbed
            .materials
            .machine
            .sandbox()
            .command("qemu-system-x86_64");
        let qemu = run::output(qemu.arg("--version"))?;
        Ok(Self {
            kernel: testbed.materials.kernel.release.clone(),
            qemu: qemu.lines().next().unwrap_or_default().to_owned(),
            ..Self::default()
        })
    }

    /// Measures a part; that it can't be is kept, too.
    ///
    /// `keep` is called whenever there is something new to keep. Of peers, those are run whose names hold one of
    /// `names`, or all.
    pub fn measure(
        &mut self,
        testbed: &Testbed,
        part: Part,
        plan: Plan,
        names: &[String],
        keep: &Keep,
    ) {
        let name = format!("{part:?}").to_lowercase();
        eprintln!("xcap-bench: {name}");
        self.failed.remove(&name);
        let measured = match part {
            Part::Probes => self.probes(testbed),
            Part::Peers => {
                self.peers(testbed, names, keep);
                Ok(())
            }
            Part::Scale => self.scale(testbed, keep),
            Part::Cpus => self.cpus(testbed),
            Part::Returns => testbed.returns().map(|returns| self.returns = returns),
            Part::Umask => testbed
                .umask(plan)
                .map(|experiment| self.umask = Some(experiment)),
        };
        if let Err(e) = measured {
            eprintln!("xcap-bench: {name}: {e:#}");
            self.failed.insert(name, format!("{e:#}"));
        }
        keep(self);
    }

    fn put(&mut self, row: Row) {
        match self.rows.iter_mut().find(|old| old.probe == row.probe) {
            Some(old) => *old = row,
            None => self.rows.push(row),
        }
    }

    fn probes(&mut self, testbed: &Testbed) -> Result<()> {
        let job = Job {
            exact: true,
            hits: own_rows(),
            marks: true,
            ..Job::NOTHING
        };
        let outcome = testbed.deterministic(&job, &[])?;
        self.exact = outcome.exact;
        self.marks = outcome.marks;
        let unprobed = outcome.hits.first().map(|hit| hit.unprobed);
        self.put(Row {
            probe: "none".to_owned(),
            works: true,
            instructions_per_call: unprobed,
            unprobed,
            times_unprobed: Some(1.0),
            known_length: KNOWN_LENGTH,
            ..Row::default()
        });
        let sizes = own_sizes(testbed)?;
        for (hit, (_, tool)) in outcome.hits.into_iter().zip(own_rows()) {
            let size = match &tool {
                Tool::Xcap { .. } => sizes.xcap,
                _ => sizes.module,
            };
            self.put(Row {
                install_mb: Some(size),
                ..Row::of(hit)
            });
        }
        Ok(())
    }

    /// Each peer in a guest of its own, so that none suffers from another.
    fn peers(&mut self, testbed: &Testbed, names: &[String], keep: &Keep) {
        let peers = Peers::prepare(&testbed.materials)
            .context("Debian's packages of the peers can't be had");
        let is_wanted =
            |peer: &&Peer| names.is_empty() || names.iter().any(|name| peer.name.contains(name));
        for peer in PEERS.iter().filter(is_wanted) {
            let row = match &peers {
                Ok(peers) => peer_row(testbed, peers, peer),
                Err(e) => Row::failed(peer.name, e),
            };
            self.put(row);
            keep(self);
        }
    }

    fn scale(&mut self, testbed: &Testbed, keep: &Keep) -> Result<()> {
        self.scale.clear();
        for backend in BACKENDS.into_iter().rev() {
            let job = Job {
                scale: vec![backend.to_owned()],
                ..Job::NOTHING
            };
            self.scale.extend(testbed.deterministic(&job, &[])?.scale);
            keep(self);
        }
        Ok(())
    }

    fn cpus(&mut self, testbed: &Testbed) -> Result<()> {
        self.two_cpus = testbed.two_cpus(SHARED_CALLS)?;
        Ok(())
    }
}

fn peer_row(testbed: &Testbed, peers: &Peers, peer: &Peer) -> Row {
    eprintln!("xcap-bench: {}", peer.name);
    let ready = match peers.ready(peer) {
        Ok(ready) => ready,
        Err(e) => return Row::failed(peer.name, &e),
    };
    let job = Job {
        hits: vec![(peer.name.to_owned(), ready.tool.clone())],
        ..Job::NOTHING
    };
    match testbed.deterministic(&job, &ready.copies) {
        Ok(outcome) => outcome
            .hits
            .into_iter()
            .map(Row::of)
            .next()
            .unwrap_or_default()
            .with(&ready),
        Err(e) => Row::failed(peer.name, &e).with(&ready),
    }
}

/// Megabytes.
struct Sizes {
    xcap: f64,
    module: f64,
}

fn own_sizes(testbed: &Testbed) -> Result<Sizes> {
    let size = |path: &Path| -> Result<f64> {
        let size = fs::metadata(path)
            .with_context(|| format!("cannot read '{}'", path.display()))?
            .len();
        Ok(size as f64 / (1 << 20) as f64)
    };
    let mut xcap = testbed.materials.module.as_deref().map_or(Ok(0.0), size)?;
    for tool in &testbed.materials.tools {
        if tool.ends_with("xcap-read") {
            xcap += size(tool)?;
        }
    }
    Ok(Sizes {
        xcap,
        module: size(&testbed.peers.join("c_kretprobe.ko"))?,
    })
}
