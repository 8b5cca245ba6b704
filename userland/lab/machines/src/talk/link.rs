// SPDX-License-Identifier: GPL-2.0

//! One end of the line to a guest's agent.

use anyhow::{bail, Result};
use std::collections::HashMap;
use std::io::{Read, Write};
use std::sync::mpsc::{channel, Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use xcap_guest::frame::{encode, Decoder, Item};
use xcap_guest::protocol::{Event, Request, Status, Stream, WINDOW};

/// What comes of a job.
#[derive(Debug)]
pub enum JobEvent {
    Output(Stream, Vec<u8>),
    Ended(Status),
}

/// Takes a line that the guest's kernel or console printed.
pub type LogSink = Box<dyn FnMut(&str) + Send>;

pub struct Link {
    guest: String,
    writer: Mutex<Box<dyn Write + Send>>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    ready: bool,
    closed: bool,
    next_job: u32,
    jobs: HashMap<u32, JobState>,
}

struct JobState {
    events: Sender<JobEvent>,
    unaccepted: usize,
}

impl Link {
    /// Speaks with the agent at the other end of `reader` and `writer`; all else that comes goes to `log`.
    pub fn new(
        guest: &str,
        mut reader: impl Read + Send + 'static,
        writer: impl Write + Send + 'static,
        mut log: LogSink,
    ) -> Arc<Self> {
        let link = Arc::new(Self {
            guest: guest.to_owned(),
            writer: Mutex::new(Box::new(writer)),
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let reading = link.clone();
        std::thread::spawn(move || {
            let mut decoder = Decoder::<Event>::default();
            let mut buffer = [0; 16384];
            while let Ok(n @ 1..) = reader.read(&mut buffer) {
                for item in decoder.feed(&buffer[..n]) {
                    reading.take(item, &mut log);
                }
            }
            if let Some(item) = decoder.finish() {
                reading.take(item, &mut log);
            }
            reading.close();
        });
        link
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic holds it")
    }

    fn take(&self, item: Item<Event>, log: &mut LogSink) {
        let event = match item {
            Item::Message(event) => event,
            Item::Text(line) => return log(&line),
            Item::Garbled(line) => return log(&format!("(a message that was cut: {line})")),
        };
        let mut state = self.state();
        match event {
            Event::Ready => state.ready = true,
            Event::Kernel { line } => {
                drop(state);
                return log(&line);
            }
            Event::Output { job, stream, data } => {
                if let Some(job) = state.jobs.get(&job) {
                    // Nobody listens any more where the command was dropped.
                    let _ = job.events.send(JobEvent::Output(stream, data));
                }
            }
            Event::Accepted { job } => {
                if let Some(job) = state.jobs.get_mut(&job) {
                    job.unaccepted = job.unaccepted.saturating_sub(1);
                }
            }
            Event::Ended { job, status } => {
                if let Some(job) = state.jobs.remove(&job) {
                    let _ = job.events.send(JobEvent::Ended(status));
                }
            }
        }
        drop(state);
        self.changed.notify_all();
    }

    fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        state.jobs.clear();
        drop(state);
        self.changed.notify_all();
    }

    pub fn is_closed(&self) -> bool {
        self.state().closed
    }

    /// Waits until the agent has shown itself.
    pub fn wait_ready(&self, patience: Duration) -> Result<()> {
        let deadline = Instant::now() + patience;
        let mut state = self.state();
        while !state.ready {
            if state.closed {
                bail!("{} went away while it was starting", self.guest);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                bail!(
                    "{} didn't start within {} s",
                    self.guest,
                    patience.as_secs()
                );
            }
            state = self
                .changed
                .wait_timeout(state, left)
                .expect("no panic holds it")
                .0;
        }
        Ok(())
    }

    pub fn send(&self, request: &Request) -> Result<()> {
        let sent = self
            .writer
            .lock()
            .expect("no panic holds it")
            .write_all(&encode(request));
        if sent.is_err() || self.is_closed() {
            bail!("{} went away", self.guest);
        }
        Ok(())
    }

    /// A number for a new job, and what will come of it.
    pub fn new_job(&self) -> (u32, Receiver<JobEvent>) {
        let (events, receiver) = channel();
        let mut state = self.state();
        let id = state.next_job;
        state.next_job += 1;
        if !state.closed {
            let unaccepted = 0;
            state.jobs.insert(id, JobState { events, unaccepted });
        }
        (id, receiver)
    }

    /// Job 0 of a guest that runs one job on its own.
    pub fn lone_job(&self) -> Receiver<JobEvent> {
        let (id, events) = self.new_job();
        assert_eq!(id, 0, "a guest that runs one job takes no others");
        events
    }

    /// Hands bytes to a job's input, waiting while too many are under way. A job that has ended takes any amount.
    pub fn send_stdin(&self, job: u32, data: Vec<u8>) -> Result<()> {
        let mut state = self.state();
        while let Some(entry) = state.jobs.get_mut(&job) {
            if entry.unaccepted < WINDOW {
                entry.unaccepted += 1;
                drop(state);
                return self.send(&Request::Stdin { job, data });
            }
            state = self.changed.wait(state).expect("no panic holds it");
        }
        Ok(())
    }

    pub fn guest(&self) -> &str {
        &self.guest
    }
}
