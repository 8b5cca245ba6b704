// SPDX-License-Identifier: GPL-2.0

//! A command that runs in a guest.

use crate::talk::link::{JobEvent, Link};
use crate::talk::output::Output;
use anyhow::{bail, Context, Result};
use std::io::Write;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::Arc;
use std::time::{Duration, Instant};
use xcap_guest::protocol::{Request, Status, Stream, CHUNK};

/// A command under way. Dropped before its end, it is killed.
pub struct Running {
    link: Arc<Link>,
    job: u32,
    name: String,
    events: Receiver<JobEvent>,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    status: Option<Status>,
}

impl Running {
    pub(crate) fn new(link: Arc<Link>, job: u32, name: String, events: Receiver<JobEvent>) -> Self {
        Self {
            link,
            job,
            name,
            events,
            stdout: Vec::new(),
            stderr: Vec::new(),
            status: None,
        }
    }

    pub fn send(&self, bytes: &[u8]) -> Result<()> {
        for chunk in bytes.chunks(CHUNK) {
            self.link.send_stdin(self.job, chunk.to_vec())?;
        }
        Ok(())
    }

    pub fn close_stdin(&self) -> Result<()> {
        self.link.send_stdin(self.job, Vec::new())
    }

    pub fn signal(&self, signal: i32) -> Result<()> {
        self.link.send(&Request::Signal {
            job: self.job,
            signal,
        })
    }

    pub fn resize(&self, rows: u16, columns: u16) -> Result<()> {
        self.link.send(&Request::Resize {
            job: self.job,
            rows,
            columns,
        })
    }

    /// A handle through which another thread may send input.
    pub fn input(&self) -> Input {
        Input {
            link: self.link.clone(),
            job: self.job,
        }
    }

    /// Waits until a line that holds `text` has come on either output.
    pub fn wait_for_line(&mut self, text: &str, patience: Duration) -> Result<String> {
        let deadline = Instant::now() + patience;
        loop {
            for output in [&self.stdout, &self.stderr] {
                let output = String::from_utf8_lossy(output);
                let whole = output.rsplit_once('\n').map_or("", |(lines, _)| lines);
                if let Some(line) = whole.lines().find(|line| line.contains(text)) {
                    return Ok(line.to_owned());
                }
            }
            if let Some(status) = &self.status {
                bail!(
                    "'{}' in {} ended ({status:?}) without a line that holds '{text}': {}",
                    self.name,
                    self.link.guest(),
                    String::from_utf8_lossy(&self.stderr).trim()
                );
            }
            let what = format!("waiting for '{text}' from '{}'", self.name);
            self.next(deadline).context(what)?;
        }
    }

    /// Waits for the end; gives all output that was not taken by [`Running::forward`].
    pub fn wait(mut self, patience: Duration) -> Result<Output> {
        let deadline = Instant::now() + patience;
        while self.status.is_none() {
            self.next(deadline)
                .with_context(|| format!("running '{}'", self.name))?;
        }
        Ok(self.take())
    }

    /// Passes the output on as it comes, until the end.
    pub fn forward(mut self, stdout: &mut impl Write, stderr: &mut impl Write) -> Result<Output> {
        loop {
            stdout.write_all(&std::mem::take(&mut self.stdout))?;
            stderr.write_all(&std::mem::take(&mut self.stderr))?;
            stdout.flush()?;
            if self.status.is_some() {
                return Ok(self.take());
            }
            match self.events.recv() {
                Ok(event) => self.note(event),
                Err(_) => bail!("{} went away", self.link.guest()),
            }
        }
    }

    fn take(&mut self) -> Output {
        Output {
            status: self.status.clone().expect("the command has ended"),
            stdout: std::mem::take(&mut self.stdout),
            stderr: std::mem::take(&mut self.stderr),
        }
    }

    fn next(&mut self, deadline: Instant) -> Result<()> {
        let left = deadline.saturating_duration_since(Instant::now());
        match self.events.recv_timeout(left) {
            Ok(event) => {
                self.note(event);
                Ok(())
            }
            Err(RecvTimeoutError::Timeout) => bail!("{} took too long", self.link.guest()),
            Err(RecvTimeoutError::Disconnected) => bail!("{} went away", self.link.guest()),
        }
    }

    fn note(&mut self, event: JobEvent) {
        match event {
            JobEvent::Output(Stream::Stdout, data) => self.stdout.extend(data),
            JobEvent::Output(Stream::Stderr, data) => self.stderr.extend(data),
            JobEvent::Ended(status) => self.status = Some(status),
        }
    }

    /// What comes of the job, event by event; the job is on its own from then on.
    pub(crate) fn into_events(mut self) -> (Input, Receiver<JobEvent>) {
        let input = self.input();
        let (_, nothing) = std::sync::mpsc::channel();
        let events = std::mem::replace(&mut self.events, nothing);
        self.status = Some(Status::Exited(0));
        (input, events)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.status.is_none() {
            // Fails where the guest has gone, and the command with it.
            let _ = self.signal(nix::libc::SIGKILL);
        }
    }
}

/// The input of a command under way.
#[derive(Clone)]
pub struct Input {
    link: Arc<Link>,
    job: u32,
}

impl Write for Input {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let n = bytes.len().min(CHUNK);
        if n > 0 {
            let chunk = bytes[..n].to_vec();
            let sent = self.link.send_stdin(self.job, chunk);
            sent.map_err(|e| std::io::Error::other(e.to_string()))?;
        }
        Ok(n)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Input {
    pub fn close(&self) -> Result<()> {
        self.link.send_stdin(self.job, Vec::new())
    }

    pub fn resize(&self, rows: u16, columns: u16) -> Result<()> {
        self.link.send(&Request::Resize {
            job: self.job,
            rows,
            columns,
        })
    }
}
