// SPDX-License-Identifier: GPL-2.0

//! What each way of capturing costs: in the kernel and in the program, in frames lost, and in time until the program
//! has a frame.

use anyhow::{Context, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xcap_frames::{Way, XdpHook};
use xcap_machines::image::guest::RECEIVER_MAC;
use xcap_machines::{Lab, Place};
use xcap_wire::gigabit_ns;

use super::in_labs::{in_labs, Made};
use super::lab::LabSource;
use super::recording::Source;
use super::trial::{settled_idle, trial_by, Busy, Capturer, Load, Trial};
use super::wire::gap_ns;
use crate::format::FORMAT;
use crate::run_id::{Buffer, Domain, Environment};
use crate::scenario::Scenario;
use crate::testbed::Emulator;

/// Frames a second that are offered, between one by one and what a gigabit wire carries.
const RATES: [f64; 5] = [10e3, 20e3, 50e3, 100e3, 200e3];

/// Frames that come one by one, at most: each costs what the others do.
const MOST_APART: u64 = 200;

/// What is to be measured.
#[derive(Debug, Clone)]
pub struct Plan {
    pub environments: Vec<Environment>,
    pub ways: Vec<Way>,
    /// Of frames, in bytes.
    pub sizes: Vec<u16>,
    /// Of the socket's buffer, or ring: the same for all.
    pub buffer_bytes: u32,
    /// Frames of each trial.
    pub frames: u64,
}

/// ways.json
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Ways {
    /// Version of the format of a run's files.
    pub format: u32,
    /// Frames of each trial; where they come one by one, 200 at most.
    pub frames: u64,
    /// Of the socket's buffer, or ring.
    pub buffer_bytes: u32,
    /// What the emulator is, and what its clock counts.
    pub lab: Option<Emulator>,
    pub rows: Vec<Row>,
}

/// A way of capturing, in one place under one load. No probe is loaded.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    pub environment: Environment,
    /// Where the capturing program runs.
    pub domain: Domain,
    pub way: Way,
    /// Why it can't; then there are no figures.
    pub reason: Option<String>,
    /// Where an XDP program took the frames.
    pub xdp: Option<XdpHook>,
    /// Bytes of a frame.
    pub size: u16,
    /// Frames a second, by the receiver's clock.
    pub offered_per_second: f64,
    pub offered: u64,
    /// Frames that the card had no room for.
    pub lost_on_wire: u64,
    /// Frames that the socket, or the ring, had no room for.
    pub dropped: u64,
    /// Frames lost on the way between: in queues under Xen.
    pub lost_between: u64,
    pub captured: u64,
    /// Instructions of the whole receiving machine but its programs, the hypervisor's with it, for each frame that was
    /// captured, less what it executes when nothing comes.
    pub kernel_per_frame: Option<f64>,
    /// Instructions in user mode, likewise: the capturing program's.
    pub program_per_frame: Option<f64>,
    /// From the wire until the program has the frame, mean of all, in nanoseconds of the machine's clock, of which an
    /// instruction takes one; none where frames were lost.
    pub wait_ns: Option<f64>,
}

impl Row {
    pub fn is_lossless(&self) -> bool {
        self.reason.is_none() && self.captured == self.offered
    }

    /// Of the frames that were offered.
    pub fn captured_share(&self) -> f64 {
        self.captured as f64 / self.offered.max(1) as f64
    }
}

/// The loads: a frame alone, then ever more that meet in batches.
fn loads(size: u16, frames: u64) -> Vec<Load> {
    let load = |frames, gap_ns| Load {
        size,
        frames,
        gap_ns,
        buffer: Buffer::System,
    };
    let alone = gap_ns(Scenario { wait_us: 1, size });
    let most = 1e9 / gigabit_ns(size) as f64;
    let rates = RATES.into_iter().filter(|rate| *rate < most);
    let rates = rates.map(|rate| load(frames, 0).at(rate));
    std::iter::once(load(frames.min(MOST_APART), alone))
        .chain(rates)
        .chain([load(frames, gigabit_ns(size))])
        .collect()
}

/// Measures; `tell` hears of each way.
pub fn ways(source: &LabSource, plan: &Plan, tell: impl Fn(&str) + Sync) -> Result<Made<Ways>> {
    let rows = in_labs(
        source,
        &plan.environments,
        false,
        |lab, environment, rows| of_environment(lab, environment, plan, rows, &tell),
    )?;
    Ok(rows.map(|rows| Ways {
        format: FORMAT,
        frames: plan.frames,
        buffer_bytes: plan.buffer_bytes,
        lab: source.emulator(),
        rows,
    }))
}

fn of_environment(
    lab: &Lab,
    environment: Environment,
    plan: &Plan,
    rows: &mut Vec<Row>,
    tell: &impl Fn(&str),
) -> Result<()> {
    let idle = settled_idle(lab)?;
    for &domain in environment.domains() {
        for &way in &plan.ways {
            let capturer = capturer(lab, domain, way, plan.buffer_bytes);
            let place = format!("{} {domain}, {}", environment.name(), way.word());
            let loads = plan.sizes.iter().flat_map(|&size| loads(size, plan.frames));
            for load in loads {
                let row = Row::of(environment, domain, way, &load);
                let row = match trial_by(lab, load, &capturer) {
                    Ok(trial) => row.with(&trial, &load, idle),
                    // Else the machine, not the way.
                    Err(error) if !lab.has_lost_a_guest() => Row {
                        reason: Some(reason(&error)),
                        ..row
                    },
                    Err(error) => return Err(error).context(place),
                };
                let ended = row.reason.clone();
                rows.push(row);
                if let Some(reason) = ended {
                    tell(&format!("{place}: {reason}"));
                    break;
                }
            }
            tell(&place);
        }
    }
    Ok(())
}

/// What the program said last.
fn reason(error: &anyhow::Error) -> String {
    let said = format!("{error:#}");
    let last = said.trim().rsplit('\n').next().unwrap_or_default();
    let last = last.rsplit("xcap-recv: ").next().unwrap_or_default();
    last.to_owned()
}

fn capturer(lab: &Lab, domain: Domain, way: Way, buffer_bytes: u32) -> Capturer {
    let mut more = vec!["--taken-at".to_owned(), "--way".into(), way.word().into()];
    more.extend(["--buffer".into(), buffer_bytes.to_string()]);
    let xdp = matches!(way, Way::AfXdp | Way::AfXdpZerocopy);
    // A bridge takes frames before sockets of one type: those of all types are asked first.
    if domain == Domain::Dom0 && !xdp {
        more.push("--all".into());
    }
    match domain {
        Domain::Dom0 => Capturer {
            place: Place::Dom0,
            destination: RECEIVER_MAC,
            more,
        },
        Domain::DomU | Domain::Bare => Capturer {
            more,
            ..Capturer::of(lab)
        },
    }
}

impl Row {
    fn of(environment: Environment, domain: Domain, way: Way, load: &Load) -> Self {
        Self {
            environment,
            domain,
            way,
            reason: None,
            xdp: None,
            size: load.size,
            offered_per_second: 1e9 / load.gap_ns as f64,
            offered: 0,
            lost_on_wire: 0,
            dropped: 0,
            lost_between: 0,
            captured: 0,
            kernel_per_frame: None,
            program_per_frame: None,
            wait_ns: None,
        }
    }

    fn with(self, trial: &Trial, load: &Load, idle: Busy) -> Self {
        let (wire, captured) = (&trial.wire, &trial.captured);
        let user = wire.user_instructions.unwrap_or(0) as f64;
        let program = user - idle.user * wire.watched_seconds();
        let kernel = wire.beyond(idle.all) - program;
        let each = |spent: f64| {
            let frames = captured.captured;
            (frames > 0).then(|| spent / frames as f64)
        };
        // Frames are on the wire at even distances.
        let sent = (wire.first_ns + wire.last_ns) as f64 / 2.0;
        let whole = captured.captured == load.frames;
        let taken = captured.mean_taken_tsc.filter(|_| whole);
        let known = captured.captured + captured.tp_drops + captured.unread + wire.lost;
        Self {
            xdp: captured.xdp,
            offered: wire.offered,
            lost_on_wire: wire.lost,
            dropped: captured.tp_drops + captured.unread,
            lost_between: wire.offered.saturating_sub(known),
            captured: captured.captured,
            kernel_per_frame: each(kernel),
            program_per_frame: each(program),
            wait_ns: taken.map(|taken| taken as f64 - sent),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loads_go_from_one_by_one_to_what_the_wire_carries() {
        let loads = loads(1500, 2_000);
        assert_eq!(loads[0].frames, MOST_APART);
        assert!(loads[1..].iter().all(|load| load.frames == 2_000));
        assert!(loads.is_sorted_by(|one, other| one.gap_ns > other.gap_ns));
        assert_eq!(loads.last().unwrap().gap_ns, gigabit_ns(1500));
    }

    #[test]
    fn a_reason_is_what_the_program_said() {
        let error = anyhow::anyhow!(
            "'xcap-recv --json' in bare ended without a line: xcap-recv: opening failed"
        );
        assert_eq!(reason(&error), "opening failed");
    }
}
