// SPDX-License-Identifier: GPL-2.0

//! Trials in the lab. Each file beside this one is a topic. A lab's machines are shared and have one trial at a time;
//! all labs are at work at once.
//!
//! They take minutes, so that `cargo test` leaves them out unless `--ignored` asks for them.

mod asleep;
mod cards;
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
mod installed;
mod journeys;
mod known;
mod labs;
mod late_driver;
mod lifecycle;
mod marks;
mod packaged;
mod patches;
mod reader;
mod returns;
mod scope;
mod scope_of_cards;
mod security;
mod snapshots;
mod stress;
mod tcpdump;
mod timing;
mod transmit;
mod types;
mod walks;
mod ways;
mod whole;
mod windows;
mod world;

use labs::{is_thorough, World};
use libtest_mimic::{Arguments, Trial};

/// Set by `make test-all`, for the trials that `make test` leaves out.
const ALL: &str = "XCAP_ALL_TRIALS";

fn main() {
    let mut arguments = Arguments::from_args();
    let world: &'static World = Box::leak(Box::default());
    let trials = [
        guests::trials(world),
        control::trials(world),
        counts::trials(world),
        ftrace::trials(world),
        driver::trials(world),
        lifecycle::trials(world),
        flood::trials(world),
        marks::trials(world),
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
        journeys::trials(world),
        transmit::trials(world),
        known::trials(world),
        clock::trials(world),
        patches::trials(world),
        walks::trials(world),
        ways::trials(world),
        tcpdump::trials(world),
        cards::trials(world),
        returns::trials(world),
        scope::trials(world),
        scope_of_cards::trials(world),
        installed::trials(world),
        reader::trials(world),
        security::trials(world),
        stress::trials(world),
    ];
    let mut trials: Vec<Trial> = trials.into_iter().flatten().collect();
    // Who names trials means them.
    if arguments.filter.is_none() && std::env::var_os(ALL).is_none_or(|all| all.is_empty()) {
        trials.retain(|trial| !is_thorough(trial));
    }
    // What takes longest begins first.
    trials.sort_by_key(|trial| world.place(trial));
    trials.push(guests::last_trial(world));
    let trials: Vec<Trial> = trials
        .into_iter()
        .map(|trial| trial.with_ignored_flag(true))
        .collect();
    world.expect(&arguments, &trials);
    // A thread that waits for its lab takes it from no other.
    arguments.test_threads.get_or_insert(trials.len());
    let listed = arguments.list;
    let conclusion = libtest_mimic::run(&arguments, trials);
    if !listed {
        if let Err(e) = world.timing.tell() {
            eprintln!("{e:#}");
        }
        world.tell_failures();
    }
    conclusion.exit();
}
