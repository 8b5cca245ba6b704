// SPDX-License-Identifier: GPL-2.0

//! The flood: 10,000 frames as fast as they go, counted by xcap and by every hop's own counters.

use crate::labs::{thorough_if, On, World};
use crate::world::{fresh_all, stage};
use anyhow::{ensure, Context, Result};
use libtest_mimic::Trial;
use xcap_machines::Lab;
use xcap_stats::report::{Report, StageReport};
use xcap_study::layout;
use xcap_study::part::{Part, Parts, Task};
use xcap_study::role::Role;
use xcap_study::run::perform;
use xcap_study::run_id::Buffer;
use xcap_study::scenario::W0S0064;

const FLOOD: Task = Task {
    scenario: W0S0064,
    buffer: Buffer::Large,
    repetition: 1,
    frames: 10_000,
    gap_ns: None,
};

pub fn trials(world: &'static World) -> Vec<Trial> {
    let mut trials = Vec::new();
    for backend in ["auto", "kretprobe", "fprobe"] {
        let name = |place| format!("a_flood_is_counted_as_its_hops_count_it_{place}_{backend}");
        let under_xen = world.trial(name("xen"), On::Xen, move |lab| counted(lab, backend));
        trials.push(thorough_if(backend != "auto", under_xen));
        trials.push(world.trial(name("bare"), On::Bare, move |lab| counted(lab, backend)));
    }
    trials
}

fn counted(lab: &Lab, backend: &str) -> Result<()> {
    fresh_all(lab, backend)?;
    let parts = perform(lab, FLOOD)?;
    let sides: Vec<Side> = parts
        .values()
        .filter(|part| part.role != Role::Sender)
        .map(Side::new)
        .collect::<Result<_>>()?;
    for side in &sides {
        side.is_complete(backend)?;
        match side.part.role {
            Role::DOM0 => at_dom0(side)?,
            _ => at_the_capturer(side, &parts)?,
        }
    }
    Ok(())
}

fn at_dom0(side: &Side) -> Result<()> {
    let interface = &side.part.interface;
    let taken = side.counted(interface, "rx_packets")?;
    let mut interfaces = side.part.after.counters.keys();
    let vif = interfaces.find(|name| name.starts_with("vif"));
    let vif = vif.context("dom0 has no interface of the guest")?;
    let sent = side.counted(vif, "tx_packets")?;
    side.polled(taken)?;
    side.handled("bridge", taken)?;
    side.handled("netback", sent + side.counted(vif, "tx_dropped")?)?;
    side.handled("copy", sent)
}

fn at_the_capturer(side: &Side, parts: &Parts) -> Result<()> {
    let captured = side.part.captured.as_ref();
    let captured = captured.context("the capturer says nothing")?;
    ensure!(
        captured.tp_packets > 0,
        "no frame came through: {captured:?} of {:?}",
        parts[&Role::Sender].sent
    );
    side.polled(side.counted(&side.part.interface, "rx_packets")?)?;
    side.handled("deliver", captured.tp_packets)?;
    side.handled("copy_user", captured.captured)
}

/// A receiving machine's part of the flood, and what xcap's `stats` said after it. They were reset before; a
/// difference would leave out the call that waited for the first frame.
struct Side<'a> {
    part: &'a Part,
    report: Report,
}

impl<'a> Side<'a> {
    fn new(part: &'a Part) -> Result<Self> {
        let text = part.after.stats.as_deref().context("no stats")?;
        let report = layout::report(&xcap_stats::parse(text)?);
        Ok(Self { part, report })
    }

    fn counted(&self, interface: &str, counter: &str) -> Result<u64> {
        let grown = self.part.grown(interface, counter);
        grown.with_context(|| format!("{interface} has no {counter}"))
    }

    /// Nothing is lost in silence; by another backend than kretprobe nothing is lost at all.
    fn is_complete(&self, backend: &str) -> Result<()> {
        let place = self.part.role;
        for stage in &self.report.stages {
            let name = &stage.stage;
            ensure!(stage.exact, "{place}: {name} is not exact after stop");
            ensure!(
                stage.entries == stage.count + stage.missed + stage.in_flight,
                "{place}: {name}: {} entries are not {} + {} missed + {} in flight",
                stage.entries,
                stage.count,
                stage.missed,
                stage.in_flight
            );
            let lost = lost(stage) + stage.missed_negative;
            ensure!(
                lost == 0 || backend == "kretprobe",
                "{place}: {name} lost {lost} calls with {backend}"
            );
        }
        let lost = self.report.stages.iter().any(|stage| lost(stage) > 0);
        let mut warnings = self.report.warnings.iter();
        let warned = warnings.any(|warning| warning.contains("calls missed"));
        ensure!(
            lost == warned,
            "{place}: calls were lost: {lost}; xcap-read warns of it: {warned}"
        );
        Ok(())
    }

    fn handled(&self, name: &str, frames: u64) -> Result<()> {
        let stage = stage(&self.report, name)?;
        let lost = lost(stage);
        ensure!(
            stage.count + lost == frames,
            "{}: {name} counted {} and lost {lost}, its hop handled {frames}",
            self.part.role,
            stage.count
        );
        Ok(())
    }

    /// Frames that the driver's polls brought, where no poll was lost.
    fn polled(&self, frames: u64) -> Result<()> {
        let polls = stage(&self.report, "nic_poll")?;
        let whole = polls.missed == 0;
        ensure!(
            polls.work == frames || !whole && polls.work < frames,
            "{}: nic_poll's work is {} ({} calls lost), the interface took {frames} frames",
            self.part.role,
            polls.work,
            polls.missed
        );
        Ok(())
    }
}

/// Calls of a stage that the backend had no room for.
fn lost(stage: &StageReport) -> u64 {
    stage.missed_busy + stage.missed_pool
}
