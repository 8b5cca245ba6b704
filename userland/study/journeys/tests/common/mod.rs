// SPDX-License-Identifier: GPL-2.0

//! Recordings of a run whose every tick is known.

#![allow(dead_code)] // Each test uses a part of it.

use xcap_abi::role::Role;
use xcap_abi::stage::Stage;
use xcap_journeys::recording::{Mark, Recording};

/// What the path takes in the run that is made up, ticks.
pub const DRIVER: u64 = 30;
pub const BRIDGE: u64 = 100;
pub const NETBACK: u64 = 40;
pub const COPY: u64 = 20;
pub const GRANT_COPY: u64 = 500;
pub const DELIVER: u64 = 60;
pub const CALL: u64 = 25;
pub const COPY_USER: u64 = 70;

/// A recording under construction: marks are of the stages by name.
pub struct Domain(pub Recording);

impl Domain {
    pub fn new(role: Role, stages: &[Stage]) -> Self {
        Self(Recording {
            role,
            tsc_khz: 1_000_000,
            sampling: 1,
            places: stages.iter().map(|stage| stage.word().to_owned()).collect(),
            marks: Vec::new(),
            dropped: 0,
            times: Vec::new(),
        })
    }

    pub fn mark(&mut self, stage: Stage, frame: Option<u64>, entry: u64, exit: u64) {
        let place = self.0.places.iter().position(|name| name == stage.word());
        self.0.marks.push(Mark {
            place: place.expect("it has that stage"),
            cpu: 0,
            frame,
            entry,
            exit,
            switched: false,
        });
    }
}

/// A run of so many frames in bursts of `burst`, through dom0 into the domU: each burst is polled,
/// copied and delivered as a batch. The domU's TSC is `ahead`.
pub fn run(frames: u64, burst: u64, ahead: u64) -> Vec<Recording> {
    let mut dom0 = Domain::new(
        Role::Dom0,
        &[
            Stage::NicPoll,
            Stage::Bridge,
            Stage::Netback,
            Stage::Copy,
            Stage::GrantCopy,
            Stage::Notify,
        ],
    );
    let mut domu = Domain::new(
        Role::DomUPv,
        &[
            Stage::NicPoll,
            Stage::Deliver,
            Stage::Recvmsg,
            Stage::CopyUser,
        ],
    );
    let mut now = 1_000_000;
    let mut asleep_since = ahead + 10;
    let numbers: Vec<u64> = (0..frames).collect();
    for burst in numbers.chunks(burst as usize) {
        // The card's poll in dom0.
        let begin = now;
        for &frame in burst {
            now += DRIVER;
            let entry = now;
            dom0.mark(Stage::Netback, Some(frame), now + 50, now + 50 + NETBACK);
            now += BRIDGE;
            dom0.mark(Stage::Bridge, Some(frame), entry, now);
        }
        now += 10;
        dom0.mark(Stage::NicPoll, None, begin, now);
        now += 300;
        // The thread that copies.
        for &frame in burst {
            dom0.mark(Stage::Copy, Some(frame), now, now + COPY);
            now += COPY + 5;
        }
        dom0.mark(Stage::GrantCopy, None, now, now + GRANT_COPY);
        now += GRANT_COPY;
        dom0.mark(Stage::Notify, None, now, now + 15);
        now += 15 + 200;
        // The guest.
        let begin = now + ahead;
        for &frame in burst {
            now += DRIVER;
            domu.mark(
                Stage::Deliver,
                Some(frame),
                now + ahead,
                now + ahead + DELIVER,
            );
            now += DELIVER;
        }
        domu.mark(Stage::NicPoll, None, begin, now + ahead);
        now += 90;
        for &frame in burst {
            let entry = now + ahead + CALL;
            domu.mark(Stage::CopyUser, Some(frame), entry, entry + COPY_USER);
            domu.mark(Stage::Recvmsg, None, asleep_since, entry + COPY_USER + 5);
            now += CALL + COPY_USER + 5 + 2;
            asleep_since = now + ahead;
        }
        now += 10_000;
    }
    vec![dom0.0, domu.0]
}

/// A run of so many frames that a domU sends in bursts of `burst`: netback takes each burst at once.
pub fn sent(frames: u64, burst: u64) -> Vec<Recording> {
    let mut domu = Domain::new(
        Role::DomUPv,
        &[Stage::TxSend, Stage::TxQueue, Stage::TxNetfront],
    );
    let mut dom0 = Domain::new(
        Role::Dom0,
        &[
            Stage::Bridge,
            Stage::TxQueue,
            Stage::TxNetback,
            Stage::TxRelease,
            Stage::TxCard,
        ],
    );
    let mut now = 1_000_000;
    let numbers: Vec<u64> = (0..frames).collect();
    for burst in numbers.chunks(burst as usize) {
        for &frame in burst {
            let begin = now;
            domu.mark(Stage::TxNetfront, Some(frame), begin + 30, begin + 70);
            domu.mark(Stage::TxQueue, Some(frame), begin + 20, begin + 80);
            domu.mark(Stage::TxSend, None, begin, begin + 100);
            now += 110;
        }
        now += 500;
        let begin = now;
        for &frame in burst {
            dom0.mark(Stage::TxRelease, None, now + 5, now + 15);
            now += DRIVER;
            dom0.mark(Stage::TxCard, Some(frame), now + 40, now + 60);
            dom0.mark(Stage::TxQueue, Some(frame), now + 20, now + 80);
            dom0.mark(Stage::Bridge, Some(frame), now, now + BRIDGE);
            now += BRIDGE;
        }
        dom0.mark(Stage::TxNetback, None, begin, now + 10);
        now += 10_000;
    }
    vec![domu.0, dom0.0]
}
