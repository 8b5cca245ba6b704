//! Trials in the lab. Each file beside this one is a topic. A lab's machines are shared and have one trial at a time;
//! two labs are at work at once.

mod asleep;
mod clock;
mod control;
mod counts;
mod direct;
mod driver;
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
mod world;

use libtest_mimic::{Arguments, Trial};
use world::World;

/// Trials wait more than they compute, and there are two cores.
const AT_ONCE: usize = 2;

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
        asleep::trials(world),
        direct::trials(world),
        fentry::trials(world),
        functions::trials(world),
        everywhere::trials(world),
        late_driver::trials(world),
        known::trials(world),
        clock::trials(world),
        patches::trials(),
        returns::trials(world),
    ];
    let (xen, others) = trials
        .into_iter()
        .flatten()
        .partition(|trial| world.is_on_xen(trial.name()));
    let mut trials = interleaved([xen, others]);
    // What all the others have left in the logs.
    trials.extend(guests::last_trials(world));
    let conclusion = libtest_mimic::run(&arguments, trials);
    world.shut_down();
    conclusion.exit();
}

/// Each list in its order, spread over the whole: when one lab is busy, the next trial is likely for another.
fn interleaved(lists: [Vec<Trial>; 2]) -> Vec<Trial> {
    let placed = lists.into_iter().flat_map(|list| {
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
