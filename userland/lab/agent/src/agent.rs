// SPDX-License-Identifier: GPL-2.0

//! Serves one port.

use crate::job::{Job, Report};
use crate::{kernel_log, tty};
use anyhow::{Context, Result};
use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Write};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use xcap_guest::frame::{encode, Decoder, Item};
use xcap_guest::protocol::{Event, Request, Status};

/// Runs what the host asks for, until the port closes.
pub fn serve(port: &str) -> Result<()> {
    let mut input = tty::open_raw(port)?;
    let report = reporter(input.try_clone()?);
    report(Event::Ready);
    let log = report.clone();
    std::thread::spawn(move || kernel_log::follow(|line| log(Event::Kernel { line })));
    let mut jobs = HashMap::new();
    let mut decoder = Decoder::<Request>::default();
    let mut buffer = [0; 4096];
    loop {
        let n = input.read(&mut buffer).context("the port was closed")?;
        for item in decoder.feed(&buffer[..n]) {
            // Lines that are no requests are noise of the line: the host waits for an answer and says so.
            if let Item::Message(request) = item {
                handle(request, &mut jobs, &report);
            }
        }
    }
}

/// Runs the command in `file` (arguments ended by NUL), silent on the port until it has ended.
pub fn run_alone(port: &str, file: &str) -> Result<()> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {file}"))?;
    let command: Vec<String> = text.split_terminator('\0').map(str::to_owned).collect();
    let (sender, events) = channel();
    let sender = Mutex::new(sender);
    let report: Report = Arc::new(move |event| {
        // What comes after the end is nobody's.
        let _ = sender.lock().expect("no panic holds it").send(event);
    });
    let job = start(0, &command, None, &report);
    if let Some(job) = &job {
        job.feed(Vec::new());
    }
    let mut kept = Vec::new();
    for event in events {
        let last = matches!(event, Event::Ended { .. });
        kept.push(event);
        if last {
            break;
        }
    }
    let port = reporter(tty::open_raw(port)?);
    port(Event::Ready);
    kept.into_iter().for_each(|event| port(event));
    Ok(())
}

fn reporter(port: File) -> Report {
    let port = Mutex::new(port);
    Arc::new(move |event| {
        // Nobody is left to tell when the port itself fails.
        let _ = port
            .lock()
            .expect("no panic holds it")
            .write_all(&encode(&event));
    })
}

fn start(
    id: u32,
    command: &[String],
    terminal: Option<&xcap_guest::protocol::Terminal>,
    report: &Report,
) -> Option<Job> {
    match Job::start(id, command, terminal, report.clone()) {
        Ok(job) => Some(job),
        Err(e) => {
            report(Event::Ended {
                job: id,
                status: Status::NotStarted(format!("{e:#}")),
            });
            None
        }
    }
}

fn handle(request: Request, jobs: &mut HashMap<u32, Job>, report: &Report) {
    match request {
        Request::Hello => report(Event::Ready),
        Request::Spawn {
            job,
            command,
            terminal,
        } => {
            if let Some(started) = start(job, &command, terminal.as_ref(), report) {
                jobs.insert(job, started);
            }
        }
        Request::Stdin { job, data } => match jobs.get(&job) {
            Some(job) => job.feed(data),
            None => report(Event::Accepted { job }),
        },
        Request::Signal { job, signal } => {
            if let Some(job) = jobs.get(&job) {
                job.signal(signal);
            }
        }
        Request::Resize { job, rows, columns } => {
            if let Some(job) = jobs.get(&job) {
                job.resize(rows, columns);
            }
        }
    }
}
