// SPDX-License-Identifier: GPL-2.0

//! Stages that have no call where others show that frames pass.

use xcap_abi::stage::Stage;

use crate::stats::Stats;

/// Calls that are no leftovers of before a reset.
const BUSY: u64 = 16;

/// A stage, and one that frames don't come to without it.
const NEEDED: [(Stage, Stage); 10] = [
    (Stage::NicIrq, Stage::NicPoll),
    (Stage::Softirq, Stage::NicPoll),
    (Stage::NicPoll, Stage::Deliver),
    (Stage::Bridge, Stage::Netback),
    (Stage::Netback, Stage::Copy),
    (Stage::CopyFlush, Stage::Copy),
    (Stage::GrantCopy, Stage::Copy),
    (Stage::Notify, Stage::Copy),
    (Stage::Deliver, Stage::Recvmsg),
    (Stage::CopyUser, Stage::Recvmsg),
];

/// Their names.
pub fn quiet(stats: &Stats) -> Vec<String> {
    let calls = |name: Stage| {
        let lines = stats.stages.iter().filter(|line| line.stage == name.word());
        let mut calls = lines
            .map(|line| line.entries + line.out_of_scope)
            .peekable();
        // A file may be of some stages alone.
        calls.peek().is_some().then(|| calls.sum::<u64>())
    };
    let needed = NEEDED.into_iter();
    let quiet = needed.filter(|&(name, busy)| {
        calls(name) == Some(0) && calls(busy).is_some_and(|calls| calls >= BUSY)
    });
    quiet.map(|(name, _)| name.word().to_owned()).collect()
}
