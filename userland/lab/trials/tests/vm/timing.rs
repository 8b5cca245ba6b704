// SPDX-License-Identifier: GPL-2.0

//! How long trials take, and what their machines compute meanwhile.

use anyhow::Result;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::fs;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use xcap_machines::files::replace;
use xcap_machines::materials::source_tree;
use xcap_machines::Lab;

/// From the top of the source tree.
const FILE: &str = "results/trials.json";

/// What `/proc` counts processor time in, `USER_HZ`.
const TICKS_A_SECOND: f64 = 100.0;

#[derive(Default)]
pub struct Timing(Mutex<Vec<Took>>);

#[derive(Serialize)]
struct Took {
    trial: String,
    lab: String,
    seconds: f64,
    /// What QEMU computed: seconds of the host's processors. None for machines of the trial's own.
    cpu_seconds: Option<f64>,
}

impl Timing {
    /// Does something on a lab, and notes what it took.
    pub fn measure<T>(
        &self,
        trial: &str,
        place: impl Debug,
        lab: &Lab,
        act: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let computed = || cpu_seconds(lab.logs().folder());
        let (begin, before) = (Instant::now(), computed());
        let outcome = act();
        self.note(trial, place, begin, Some(computed() - before));
        outcome
    }

    /// Starts a lab, and notes what it took.
    pub fn starting(&self, place: impl Debug, boot: impl FnOnce() -> Result<Lab>) -> Result<Lab> {
        let begin = Instant::now();
        let lab = boot()?;
        self.note(
            "(starting)",
            place,
            begin,
            Some(cpu_seconds(lab.logs().folder())),
        );
        Ok(lab)
    }

    fn all(&self) -> MutexGuard<'_, Vec<Took>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what has begun then and ends now.
    pub fn note(&self, trial: &str, place: impl Debug, begin: Instant, cpu_seconds: Option<f64>) {
        let took = Took {
            trial: trial.to_owned(),
            lab: format!("{place:?}").to_lowercase(),
            seconds: rounded(begin.elapsed().as_secs_f64()),
            cpu_seconds: cpu_seconds.map(rounded),
        };
        self.all().push(took);
    }

    /// Writes all of it to a file, and says how long each lab was at work.
    pub fn tell(&self) -> Result<()> {
        let mut all = self.all();
        if all.is_empty() {
            return Ok(());
        }
        all.sort_by(|one, other| other.seconds.total_cmp(&one.seconds));
        let mut labs: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
        for took in all.iter() {
            let lab = labs.entry(&took.lab).or_default();
            lab.0 += took.seconds;
            lab.1 += took.cpu_seconds.unwrap_or(0.0);
        }
        for (lab, (seconds, cpu_seconds)) in labs {
            eprintln!("{lab:10} {seconds:6.1} s at work, {cpu_seconds:6.1} s of them computing");
        }
        let path = source_tree()?.join(FILE);
        replace(&path, &(serde_json::to_string_pretty(&*all)? + "\n"))?;
        eprintln!("each trial's time: {FILE}");
        Ok(())
    }
}

fn rounded(seconds: f64) -> f64 {
    (seconds * 100.0).round() / 100.0
}

/// The host's processor time of the machines whose files are in `folder`.
fn cpu_seconds(folder: &Path) -> f64 {
    let folder = folder.to_string_lossy();
    let ticks: f64 = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|process| ticks(&process.ok()?.path(), &folder))
        .sum();
    ticks / TICKS_A_SECOND
}

/// Of one process, if it is one of those machines.
fn ticks(process: &Path, folder: &str) -> Option<f64> {
    let command = fs::read(process.join("cmdline")).ok()?;
    if !command.starts_with(b"qemu-system") || !String::from_utf8_lossy(&command).contains(folder) {
        return None;
    }
    let stat = fs::read_to_string(process.join("stat")).ok()?;
    // Behind the name, which may hold anything, the state is field 3; user and system time are 14 and 15.
    let (_, fields) = stat.rsplit_once(") ")?;
    let times = fields.split(' ').skip(11).take(2);
    times.map(|time| time.parse::<f64>().ok()).sum()
}
