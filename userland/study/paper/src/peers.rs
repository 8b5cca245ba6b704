// SPDX-License-Identifier: GPL-2.0

//! The benchmarks' peers, as rivals of a capture's measuring.

use xcap_bench::peers::{Function, Peers, PEERS};
use xcap_machines::config::Copy;
use xcap_machines::Materials;
use xcap_study::run::rivals::{self, Program, Rivals, Unable};

/// Those that sum up what functions take, from Debian's packages.
const SUMMING: [&str; 3] = [
    "SystemTap, the paper's script",
    "bpftrace, kprobe+kretprobe",
    "bpftrace, fentry+fexit",
];

/// The root that they are in; or why there is none.
pub struct FromDebian(Result<Peers, Unable>);

impl FromDebian {
    pub fn prepare(materials: &Materials) -> Self {
        Self(Peers::prepare(materials).map_err(|error| format!("{error:#}")))
    }
}

impl Rivals for FromDebian {
    fn files(&self) -> Vec<Copy> {
        let files = self.0.as_ref().ok().map(Peers::timing_files);
        files.and_then(Result::ok).unwrap_or_default()
    }

    fn of(&self, functions: &[rivals::Function]) -> Vec<(String, Result<Program, Unable>)> {
        let functions: Vec<Function> = functions
            .iter()
            .map(|of| Function {
                name: of.name.clone(),
                holder: of.module.clone().unwrap_or_else(|| "vmlinux".into()),
            })
            .collect();
        let peers = PEERS.iter().filter(|peer| SUMMING.contains(&peer.name));
        peers
            .map(|peer| {
                let program = self.0.as_ref().map_err(Clone::clone).and_then(|peers| {
                    let timing = peers.timing(peer, &functions);
                    let timing = timing.map_err(|error| format!("{error:#}"))?;
                    Ok(Program {
                        command: timing.command,
                        files: timing.files,
                    })
                });
                (peer.name.to_owned(), program)
            })
            .collect()
    }
}

/// None are asked for.
pub struct Nobody;

impl Rivals for Nobody {
    fn files(&self) -> Vec<Copy> {
        Vec::new()
    }

    fn of(&self, _: &[rivals::Function]) -> Vec<(String, Result<Program, Unable>)> {
        Vec::new()
    }
}
