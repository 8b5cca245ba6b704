// SPDX-License-Identifier: GPL-2.0

//! The machines that trials share, and what they do with them.

use anyhow::{ensure, Context, Result};
use libtest_mimic::{Failed, Trial};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use xcap_abi::paths::{CONTROL, STATS};
use xcap_frames::{Captured, READY};
use xcap_machines::boot::logs::Logs;
use xcap_machines::build::kbuild;
use xcap_machines::config::Copy;
use xcap_machines::{Config, Guest, Lab, Materials, Place};
use xcap_stats::report::{Report, StageReport};
use xcap_study::layout;
use xcap_study::run::lab::recorder;

/// More than anything takes that isn't hanging.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Started when the first trial asks for them.
#[derive(Default)]
pub struct World {
    materials: OnceLock<Materials>,
    preparing: Mutex<()>,
    /// The labs of the trials that share one.
    labs: Mutex<HashMap<String, On>>,
    xen: Mutex<Slot>,
    bare: Mutex<Slot>,
    parallel: Mutex<Slot>,
    /// Of labs that a guest went away from.
    lost: Mutex<Vec<Logs>>,
}

#[derive(Default)]
enum Slot {
    #[default]
    NotStarted,
    Running(Box<Lab>),
    Failed,
}

/// A trial that panicked has failed already: what it locked is as good as before.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Which machines a trial wants.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum On {
    Xen,
    Bare,
    /// The bare machine with its CPUs emulated at once: functions must not be hooked while they are called.
    Parallel,
}

impl World {
    /// A trial on one of the labs; what goes wrong is shown with the guests' last lines.
    pub fn trial(
        &'static self,
        name: impl Into<String>,
        on: On,
        act: impl Fn(&Lab) -> Result<()> + Send + 'static,
    ) -> Trial {
        let name = name.into();
        locked(&self.labs).insert(name.clone(), on);
        Trial::test(name, move || {
            self.with(on, |lab| act(lab))
                .map_err(|e| Failed::from(format!("{e:#}")))
        })
    }

    /// The lab that a trial shares with others; none: it has its own machines.
    pub fn lab_of(&self, trial: &str) -> Option<On> {
        locked(&self.labs).get(trial).copied()
    }

    /// Every lab that runs.
    pub fn each_running(&self, mut act: impl FnMut(&Lab) -> Result<()>) -> Result<()> {
        for slot in [&self.xen, &self.bare, &self.parallel] {
            if let Slot::Running(lab) = &*locked(slot) {
                act(lab)?;
            }
        }
        Ok(())
    }

    /// The logs of labs that run no more, because a guest went away.
    pub fn lost(&self) -> Vec<Logs> {
        locked(&self.lost).clone()
    }

    fn with(&self, on: On, act: impl FnOnce(&Lab) -> Result<()>) -> Result<()> {
        let slot = match on {
            On::Xen => &self.xen,
            On::Bare => &self.bare,
            On::Parallel => &self.parallel,
        };
        let mut slot = locked(slot);
        if matches!(*slot, Slot::NotStarted) {
            *slot = Slot::Failed;
            let materials = self.materials()?;
            let config = match on {
                On::Xen => Config {
                    copies: vec![recorder(materials.program("xcap-lab")?)?],
                    ..Config::xen()
                },
                On::Bare | On::Parallel => Config {
                    copies: vec![
                        targets(materials)?,
                        rival(materials)?,
                        recorder(materials.program("xcap-lab")?)?,
                    ],
                    cpus_in_turn: on == On::Bare,
                    ..Config::bare()
                },
            };
            *slot = Slot::Running(Box::new(Lab::boot(materials, &config)?));
        }
        let Slot::Running(lab) = &mut *slot else {
            anyhow::bail!("this lab didn't start");
        };
        let outcome = act(lab).map_err(|e| lab.explain(e));
        if outcome.is_err() && lab.has_lost_a_guest() {
            locked(&self.lost).push(lab.logs().clone());
            // The next trial gets new machines.
            *slot = Slot::NotStarted;
        }
        outcome
    }

    pub fn materials(&self) -> Result<&Materials> {
        let _turn = locked(&self.preparing);
        if let Some(materials) = self.materials.get() {
            return Ok(materials);
        }
        let made = Materials::prepare(None)?;
        Ok(self.materials.get_or_init(|| made))
    }

    pub fn shut_down(&self) {
        for slot in [&self.xen, &self.bare, &self.parallel] {
            *locked(slot) = Slot::NotStarted;
        }
    }
}

/// The modules of userland/lab/targets, in `/lab/targets`.
pub fn targets(materials: &Materials) -> Result<Copy> {
    let source = xcap_machines::materials::source_tree()?.join("userland/lab/targets");
    Ok(Copy {
        from: kbuild::build(&materials.cache, &materials.kernel, &source)?,
        to: "/lab/targets".to_owned(),
    })
}

/// What takes functions from xcap.
fn rival(materials: &Materials) -> Result<Copy> {
    Ok(Copy {
        from: materials.program("xcap-fentry")?,
        to: "/usr/bin/xcap-fentry".to_owned(),
    })
}

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

/// Loads xcap anew, whatever was before: a direct probe that a trial left on a function that may sleep is taken off.
pub fn reload(guest: &Guest) -> Result<()> {
    guest
        .sh("if grep -q '^xcap ' /proc/modules && ! rmmod xcap 2>/dev/null; then
                cd /sys/kernel/debug/xcap
                for name in $(awk '$4 ~ /^direct/ { print $1 }' probes); do echo del $name >control; done
                cd /
                rmmod xcap
            fi
            insmod /lab/xcap.ko")
        .map(drop)
}

/// Loads xcap anew in all receivers, with this backend (`auto`: as it comes).
pub fn reload_all(lab: &Lab, backend: &str) -> Result<()> {
    for guest in receivers(lab) {
        reload(guest)?;
        if backend != "auto" {
            control(guest, &format!("backend={backend}"))?;
        }
    }
    Ok(())
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
    mut watch: impl FnMut(&Guest, Moment) -> Result<()>,
) -> Result<()> {
    let (count, gap) = (frames.to_string(), gap_us.to_string());
    let receive = [
        "xcap-recv",
        "-i",
        "eth0",
        "--count",
        &count,
        "--timeout",
        "60000",
        "--json",
    ];
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
