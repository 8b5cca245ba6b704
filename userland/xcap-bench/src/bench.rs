//! The whole benchmark: every probe and peer, scale, and the paper's experiment, on one kernel.

use crate::bed::Bed;
use crate::check::own_rows;
use crate::exact::Exactness;
use crate::hit::Hit;
use crate::job::Job;
use crate::peers::{Peers, Ready, PEERS};
use crate::scale::Scale;
use crate::targets::KNOWN_LENGTH;
use crate::tool::Tool;
use crate::two_cpus::Shared;
use crate::umask::{Experiment, Plan};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;
use xcap_lab::run;

/// Calls of each CPU when two hit one probe.
const SHARED_CALLS: u32 = 100_000;

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
#[derive(Debug, Serialize, Deserialize)]
pub struct Benchmark {
    pub kernel: String,
    pub qemu: String,
    pub rows: Vec<Row>,
    pub exact: Vec<Exactness>,
    pub scale: Vec<Scale>,
    pub two_cpus: Vec<Shared>,
    pub umask: Experiment,
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

/// Which peers are wanted; none: all.
pub fn run(bed: &Bed, plan: Plan, only: &[String]) -> Result<Benchmark> {
    let qemu = run::output(
        bed.materials
            .machine
            .sandbox()
            .command("qemu-system-x86_64")
            .arg("--version"),
    )?;
    let own = bed.deterministic(
        &Job {
            exact: true,
            hits: own_rows(),
            ..Job::NOTHING
        },
        &[],
    )?;
    let unprobed = own.hits.first().map(|hit| hit.unprobed);
    let mut rows = vec![Row {
        probe: "none".to_owned(),
        works: true,
        instructions_per_call: unprobed,
        unprobed,
        times_unprobed: Some(1.0),
        known_length: KNOWN_LENGTH,
        ..Row::default()
    }];
    let sizes = own_sizes(bed)?;
    for (hit, (_, tool)) in own.hits.into_iter().zip(own_rows()) {
        let mut row = Row::of(hit);
        row.install_mb = match &tool {
            Tool::Xcap { .. } => Some(sizes.xcap),
            _ => Some(sizes.module),
        };
        rows.push(row);
    }
    rows.extend(peers(bed, only));
    let scale = bed
        .deterministic(
            &Job {
                scale: true,
                ..Job::NOTHING
            },
            &[],
        )?
        .scale;
    let two_cpus = Job {
        two_cpus: Some(SHARED_CALLS),
        ..Job::NOTHING
    };
    Ok(Benchmark {
        kernel: bed.materials.kernel.release.clone(),
        qemu: qemu.lines().next().unwrap_or_default().to_owned(),
        rows,
        exact: own.exact,
        scale,
        two_cpus: bed.two_cpus(&two_cpus)?.two_cpus,
        umask: bed.umask(plan)?,
    })
}

/// Each peer in a guest of its own, so that none suffers from another.
fn peers(bed: &Bed, only: &[String]) -> Vec<Row> {
    let wanted: Vec<_> = PEERS
        .iter()
        .filter(|peer| only.is_empty() || only.iter().any(|word| peer.name.contains(word.as_str())))
        .collect();
    let peers = match Peers::prepare(&bed.materials) {
        Ok(peers) => peers,
        Err(e) => {
            let reason = e.context("Debian's packages of the peers can't be had");
            return wanted
                .iter()
                .map(|peer| Row::failed(peer.name, &reason))
                .collect();
        }
    };
    let row = |peer: &&crate::peers::Peer| {
        eprintln!("xcap-bench: {}", peer.name);
        let ready = match peers.ready(peer) {
            Ok(ready) => ready,
            Err(e) => return Row::failed(peer.name, &e),
        };
        let job = Job {
            hits: vec![(peer.name.to_owned(), ready.tool.clone())],
            ..Job::NOTHING
        };
        match bed.deterministic(&job, &ready.copies) {
            Ok(outcome) => outcome
                .hits
                .into_iter()
                .map(Row::of)
                .next()
                .unwrap_or_default()
                .with(&ready),
            Err(e) => Row::failed(peer.name, &e).with(&ready),
        }
    };
    wanted.iter().map(row).collect()
}

/// Megabytes.
struct Sizes {
    xcap: f64,
    module: f64,
}

fn own_sizes(bed: &Bed) -> Result<Sizes> {
    let size = |path: &Path| -> Result<f64> {
        let size = fs::metadata(path)
            .with_context(|| format!("cannot read '{}'", path.display()))?
            .len();
        Ok(size as f64 / (1 << 20) as f64)
    };
    let mut xcap = bed.materials.module.as_deref().map_or(Ok(0.0), size)?;
    for tool in &bed.materials.tools {
        if tool.ends_with("xcap-read") {
            xcap += size(tool)?;
        }
    }
    Ok(Sizes {
        xcap,
        module: size(&bed.peers.join("c_kretprobe.ko"))?,
    })
}
