// SPDX-License-Identifier: GPL-2.0

//! Starts the programs that must not outlive this one.
//!
//! The kernel ends them with the *thread* that started them (`PR_SET_PDEATHSIG`): one thread starts them all, and it
//! lives as long as the process.

use anyhow::{Context, Result};
use nix::libc;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::sync::mpsc::{channel, Sender};
use std::sync::OnceLock;

type Task = Box<dyn FnOnce() + Send>;

/// Starts `command`, to be killed when this process ends, however it ends.
pub fn spawn(mut command: Command) -> Result<Child> {
    static TASKS: OnceLock<Sender<Task>> = OnceLock::new();
    let tasks = TASKS.get_or_init(|| {
        let (sender, tasks) = channel::<Task>();
        std::thread::spawn(move || tasks.into_iter().for_each(|task| task()));
        sender
    });
    // SAFETY: prctl is async-signal-safe.
    unsafe {
        command.pre_exec(
            || match libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) {
                0 => Ok(()),
                _ => Err(std::io::Error::last_os_error()),
            },
        );
    }
    let name = command.get_program().to_string_lossy().into_owned();
    let (answer, started) = channel();
    let task = Box::new(move || drop(answer.send(command.spawn())));
    tasks
        .send(task)
        .expect("the spawner lives as long as the process");
    let started = started.recv().expect("the spawner answers");
    started.with_context(|| format!("cannot run {name}"))
}
