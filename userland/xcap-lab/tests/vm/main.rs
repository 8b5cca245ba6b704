//! Trials in the lab. Each file beside this one is a topic; machines are shared, so trials run one after another.

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

use libtest_mimic::Arguments;
use world::World;

fn main() {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
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
        // Last: what all the others have left in the logs.
        guests::last_trials(world),
    ];
    let conclusion = libtest_mimic::run(&arguments, trials.into_iter().flatten().collect());
    world.shut_down();
    conclusion.exit();
}
