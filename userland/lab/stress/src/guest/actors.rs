// SPDX-License-Identifier: GPL-2.0

//! What goes on while a workload does its rounds: calls, readings, commands.

use crate::guest::files;
use crate::guest::journal::Journal;
use crate::guest::marks;
use crate::guest::watch::Watch;
use fastrand::Rng;
use nix::sched::{sched_setaffinity, CpuSet};
use nix::sys::stat::{umask, Mode};
use nix::unistd::Pid;
use std::fs;
use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{scope, sleep};
use std::time::Duration;
use xcap_abi::paths::{CALIBRATION, PROBES};

const TARGETS: &str = "/sys/kernel/debug/xcap_targets/call";

/// Which of them there are.
#[derive(Clone, Copy)]
pub struct Actors {
    pub readers: usize,
    /// Between a CPU's calls, milliseconds.
    pub pause: u64,
    /// Commands at random, from this seed, and milliseconds between them.
    pub commands: Option<(u64, u64)>,
}

struct EndAtLast<'a>(&'a AtomicBool);

impl Drop for EndAtLast<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Actors {
    /// What every workload has.
    pub fn with_commands(seed: u64) -> Self {
        Self {
            readers: 1,
            pause: 5,
            commands: Some((seed, 20)),
        }
    }
}

/// Does `act` among them; they end with it.
pub fn among<T>(actors: Actors, journal: &Journal, watch: &Watch, act: impl FnOnce() -> T) -> T {
    let end = AtomicBool::new(false);
    let end = &end;
    scope(|scope| {
        let _end = EndAtLast(end);
        let until_end = move |mut act: Box<dyn FnMut() + Send>, pause: u64| {
            while !end.load(Ordering::Relaxed) {
                act();
                sleep(Duration::from_millis(pause));
            }
        };
        for cpu in 0..cpus() {
            scope.spawn(move || until_end(caller(cpu), actors.pause));
        }
        for _ in 0..actors.readers {
            scope.spawn(move || until_end(Box::new(|| read(journal)), 20));
        }
        if let Some((seed, pause)) = actors.commands {
            let mut rng = Rng::with_seed(seed);
            let act = move || gentle_command(&mut rng, journal);
            scope.spawn(move || until_end(Box::new(act), pause));
        }
        scope.spawn(move || until_end(Box::new(|| watch.look(journal)), 100));
        act()
    })
}

fn cpus() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Calls functions of all kinds on one CPU.
fn caller(cpu: usize) -> Box<dyn FnMut() + Send> {
    let mut set = CpuSet::new();
    let socket = UdpSocket::bind("127.0.0.1:0").ok();
    let mut pinned = false;
    Box::new(move || {
        if !pinned {
            // Where the CPU is gone just now, another does.
            let _ = set
                .set(cpu)
                .and_then(|()| sched_setaffinity(Pid::from_raw(0), &set));
            pinned = true;
        }
        // The module with the targets may be away: nothing is lost then.
        for call in [
            "xcap_target_10 20",
            "xcap_target_nest 3",
            "xcap_target_recurse 1 5",
        ] {
            let _ = fs::write(TARGETS, call);
        }
        let _ = fs::write(TARGETS, "xcap_target_sleep 1 1");
        for _ in 0..20 {
            umask(Mode::empty());
        }
        if let Some(socket) = &socket {
            let mut frame = [0; 64];
            let _ = socket
                .local_addr()
                .and_then(|address| socket.send_to(&frame, address));
            let _ = socket.recv(&mut frame);
        }
    })
}

/// Reads all that xcap shows; figures that can't be of one set of samples fail.
fn read(journal: &Journal) {
    journal.expect(files::stats());
    journal.expect(files::per_cpu());
    journal.expect(marks::read());
    for file in [PROBES, CALIBRATION] {
        journal.expect(files::read(file));
    }
}

/// Commands that leave alone what the workload itself does.
fn gentle_command(rng: &mut Rng, journal: &Journal) {
    const COMMANDS: [&str; 10] = [
        "reset",
        "reset",
        "stop",
        "start",
        "backend=fprobe",
        "backend=kretprobe",
        "backend=auto",
        "add xcap_target_10 as gentle",
        "add xcap_target_recurse as gentle backend=kretprobe",
        "del gentle",
    ];
    let word = COMMANDS[rng.usize(..COMMANDS.len())];
    // It comes and goes.
    let Ok(control) = files::open_control() else {
        return;
    };
    if let Err(errno) = files::command(&control, word.as_bytes()) {
        if !files::is_an_answer(errno) {
            journal.fail(format!("'{word}': {errno}"));
        }
    }
}
