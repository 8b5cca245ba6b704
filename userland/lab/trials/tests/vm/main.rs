// SPDX-License-Identifier: GPL-2.0

//! Trials in the lab. Each file beside this one is a topic. A lab's machines are shared and have one trial at a time;
//! several labs are at work at once.

mod asleep;
mod clock;
mod control;
mod counts;
mod direct;
mod draining;
mod driver;
mod entry;
mod everywhere;
mod fentry;
mod flood;
mod ftrace;
mod functions;
mod guests;
mod known;
mod late_driver;
mod lifecycle;
mod patches;
mod returns;
mod snapshots;
mod types;
mod windows;
mod world;

use libtest_mimic::{Arguments, Trial};
use std::collections::BTreeMap;
use world::{On, World};

/// Trials wait more than they compute: two cores are busy with three.
const AT_ONCE: usize = 3;

fn main() {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(AT_ONCE);
    let world: &'static World = Box::leak(Box::default());
    let trials = [
        guests::trials(world),
        control::trials(world),
        counts::trials(world),
        ftrace::trials(world),
        driver::trials(world),
        lifecycle::trials(world),
        flood::trials(world),
        snapshots::trials(world),
        types::trials(world),
        windows::trials(world),
        asleep::trials(world),
        direct::trials(world),
        draining::trials(world),
        entry::trials(world),
        fentry::trials(world),
        functions::trials(world),
        everywhere::trials(world),
        late_driver::trials(world),
        known::trials(world),
        clock::trials(world),
        patches::trials(),
        returns::trials(world),
    ];
    let mut lists: BTreeMap<Option<On>, Vec<Trial>> = BTreeMap::new();
    for trial in trials.into_iter().flatten() {
        let list = lists.entry(world.lab_of(trial.name())).or_default();
        list.push(trial);
    }
    let mut trials = interleaved(lists.into_values());
    // What all the others have left in the logs.
    trials.extend(guests::last_trials(world));
    let conclusion = libtest_mimic::run(&arguments, trials);
    world.shut_down();
    conclusion.exit();
}

/// Each list in its order, spread over the whole: when one lab is busy, the next trial is likely for another.
fn interleaved(lists: impl Iterator<Item = Vec<Trial>>) -> Vec<Trial> {
    let placed = lists.flat_map(|list| {
        let length = list.len() as f64;
        let place = move |index: usize| (index as f64 + 0.5) / length;
        list.into_iter()
            .enumerate()
            .map(move |(index, trial)| (place(index), trial))
    });
    let mut placed: Vec<(f64, Trial)> = placed.collect();
    placed.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    placed.into_iter().map(|(_, trial)| trial).collect()
}
