// SPDX-License-Identifier: GPL-2.0

//! What trials do with the machines of a lab.

use anyhow::{ensure, Context, Result};
use std::time::{Duration, Instant};
use xcap_abi::paths::{CONTROL, STATS};
use xcap_frames::{Captured, READY};
use xcap_machines::{Guest, Lab, Place};
use xcap_stats::report::{Report, StageReport};
use xcap_study::layout;

/// More than anything takes that isn't hanging.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Loads the module with the functions of known length, where it is not.
pub fn load_targets(guest: &Guest) -> Result<()> {
    guest
        .sh("grep -q ^xcap_targets /proc/modules || insmod /lab/targets/xcap_targets.ko")
        .map(drop)
}

/// Guests that receive: where xcap can be.
pub fn receivers(lab: &Lab) -> Vec<&Guest> {
    lab.guests()
        .filter(|(place, _)| *place != Place::Sender)
        .map(|(_, guest)| guest)
        .collect()
}

/// Unloads xcap, if it is there: a direct probe that a trial left on a function that may sleep is taken off.
const UNLOAD: &str = r#"
if grep -q '^xcap ' /proc/modules && ! rmmod xcap 2>/dev/null; then
	cd /sys/kernel/debug/xcap
	for name in $(awk '$4 ~ /^direct/ { print $1 }' probes); do echo del $name >control; done
	cd /
	rmmod xcap
fi"#;

/// For trials that load xcap themselves.
pub fn unload(guest: &Guest) -> Result<()> {
    guest.sh(UNLOAD).map(drop)
}

/// The stages that xcap is loaded with.
#[derive(Clone, Copy)]
pub enum Stages {
    All,
    /// One whose function is a driver's, one whose calls sleep, and one that xcap hooks directly. Each function that is
    /// hooked costs an emulated machine a tenth of a second and more, whenever xcap comes, goes, starts or stops: enough
    /// where a trial isn't about frames.
    Few,
    /// Their names, separated by commas.
    These(&'static str),
}

impl Stages {
    /// For the module's parameter `stages`.
    pub fn names(self) -> &'static str {
        match self {
            Self::All => "",
            Self::Few => "nic_poll,recvmsg,copy_user",
            Self::These(names) => names,
        }
    }
}

/// Loads xcap anew, whatever was before.
pub fn reload(guest: &Guest, stages: Stages) -> Result<()> {
    let stages = stages.names();
    guest
        .sh(&format!("{UNLOAD}\ninsmod /lab/xcap.ko stages={stages}"))
        .map(drop)
}

/// Takes off what was added, and starts anew; then all is as it was when xcap was loaded with this backend, or it is
/// loaded with it now. Loading costs an emulated machine two seconds, and all that it knew of the kernel's functions.
fn as_loaded(backend: &str, stages: Stages) -> String {
    let stages = stages.names();
    format!(
        r#"
loaded=/lab/loaded.{backend}.{stages}
as_loaded() {{
	[ -e /sys/module/xcap ] && [ -e $loaded ] || return 1
	[ "$(cat /sys/module/xcap/parameters/stages)" = "{stages}" ] || return 1
	cd /sys/kernel/debug/xcap
	for name in $(awk 'NR == FNR {{ had[$1]; next }} !($1 in had) {{ print $1 }}' $loaded probes); do
		echo del $name >control || return 1
	done
	echo marks off >control 2>/dev/null
	echo only all >control 2>/dev/null
	echo reset >control && echo start >control && [ "$(cat probes)" = "$(cat $loaded)" ]
}}
if ! as_loaded; then
	cd /
	{UNLOAD}
	insmod /lab/xcap.ko backend={backend} stages={stages}
	cat /sys/kernel/debug/xcap/probes >$loaded
fi"#
    )
}

/// xcap as it is when it has been loaded. Each trial begins with it, so that none has to end with it.
pub fn fresh(guest: &Guest, stages: Stages) -> Result<()> {
    fresh_with(guest, "auto", stages)
}

fn fresh_with(guest: &Guest, backend: &str, stages: Stages) -> Result<()> {
    guest.sh(&as_loaded(backend, stages)).map(drop)
}

/// Does the same in all receivers, at once.
pub fn in_receivers(lab: &Lab, act: impl Fn(&Guest) -> Result<()> + Sync) -> Result<()> {
    let act = &act;
    std::thread::scope(|scope| {
        let all: Vec<_> = receivers(lab)
            .into_iter()
            .map(|guest| scope.spawn(move || act(guest)))
            .collect();
        let mut outcomes = all.into_iter().map(|one| one.join().expect("no panic"));
        outcomes.find(Result::is_err).unwrap_or(Ok(()))
    })
}

/// [`fresh`] in all receivers, with this backend and all stages.
pub fn fresh_all(lab: &Lab, backend: &str) -> Result<()> {
    in_receivers(lab, |guest| fresh_with(guest, backend, Stages::All))
}

/// What `stats` says now.
pub fn report(guest: &Guest) -> Result<Report> {
    let text = guest.sh(&format!("cat {STATS}"))?;
    Ok(layout::report(&xcap_stats::parse(&text)?))
}

/// Writes a command to xcap's control file.
pub fn control(guest: &Guest, word: &str) -> Result<()> {
    guest.sh(&format!("echo {word} >{CONTROL}")).map(drop)
}

/// Reads xcap until it says what is waited for.
pub fn until(guest: &Guest, what: &str, come: impl Fn(&Report) -> bool) -> Result<Report> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let report = report(guest)?;
        if come(&report) {
            return Ok(report);
        }
        ensure!(Instant::now() < deadline, "{}: {what}: never", guest.name());
    }
}

pub fn stage<'a>(report: &'a Report, name: &str) -> Result<&'a StageReport> {
    report
        .stage(name)
        .with_context(|| format!("no stage {name}"))
}

/// Captures `frames` frames sent `gap_us` apart, all receivers recording from when the capturer is ready until all are
/// captured.
pub fn capture(lab: &Lab, frames: u32, gap_us: u32) -> Result<()> {
    capture_watched(lab, frames, gap_us, |_, _| Ok(()))
}

/// The same of frames that say their numbers.
pub fn capture_numbered(
    lab: &Lab,
    frames: u32,
    gap_us: u32,
    watch: impl FnMut(&Guest, Moment) -> Result<()>,
) -> Result<()> {
    capture_told(lab, frames, gap_us, (&[], &["--numbered"]), watch)
}

/// A moment of a capture, in each receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    BeforeReset,
    AfterReset,
    BeforeStop,
    AfterStop,
}

/// The same; `watch` is called in each receiver around what xcap records.
pub fn capture_watched(
    lab: &Lab,
    frames: u32,
    gap_us: u32,
    watch: impl FnMut(&Guest, Moment) -> Result<()>,
) -> Result<()> {
    capture_told(lab, frames, gap_us, (&[], &[]), watch)
}

/// The same, xcap-recv being told more.
pub fn capture_by(
    lab: &Lab,
    more: &[&str],
    frames: u32,
    gap_us: u32,
    watch: impl FnMut(&Guest, Moment) -> Result<()>,
) -> Result<()> {
    capture_told(lab, frames, gap_us, (more, &[]), watch)
}

/// The same, xcap-recv and xcap-send being told more.
fn capture_told(
    lab: &Lab,
    frames: u32,
    gap_us: u32,
    (receiver, sender): (&[&str], &[&str]),
    mut watch: impl FnMut(&Guest, Moment) -> Result<()>,
) -> Result<()> {
    let (count, gap) = (frames.to_string(), gap_us.to_string());
    let mut receive = vec![
        "xcap-recv",
        "-i",
        "eth0",
        "--count",
        &count,
        // Room for all: on a busy machine the capturer may not have its turn for long.
        "--buffer",
        "67108864",
        "--timeout",
        "60000",
        "--json",
    ];
    receive.extend(receiver);
    let mut capturer = lab.guest(lab.capturing_place()).spawn(&receive)?;
    capturer.wait_for_line(READY, PATIENCE)?;
    for guest in receivers(lab) {
        watch(guest, Moment::BeforeReset)?;
        control(guest, "reset")?;
        watch(guest, Moment::AfterReset)?;
    }
    let send = [
        "xcap-send",
        "-i",
        "eth0",
        "-d",
        lab.destination(),
        "--count",
        &count,
        "--wait",
        &gap,
    ];
    let send = [&send, sender].concat();
    lab.guest(Place::Sender).run(&send)?.ok("xcap-send")?;
    let captured = capturer.wait(PATIENCE)?.ok("xcap-recv")?;
    for guest in receivers(lab) {
        watch(guest, Moment::BeforeStop)?;
        control(guest, "stop")?;
        watch(guest, Moment::AfterStop)?;
    }
    let captured: Captured = serde_json::from_str(&captured)?;
    ensure!(
        captured.captured == u64::from(frames),
        "the capturer says {captured:?}, but {frames} were sent"
    );
    Ok(())
}
