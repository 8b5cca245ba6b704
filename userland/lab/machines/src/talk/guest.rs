// SPDX-License-Identifier: GPL-2.0

//! A guest of the lab and the commands that run in it.

use crate::talk::link::{JobEvent, Link};
use anyhow::{bail, Context, Result};
use std::io::Write;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::Arc;
use std::time::{Duration, Instant};
use xcap_guest::protocol::{Request, Status, Stream, Terminal, CHUNK};

/// Longer than anything that a test or a scenario runs.
const PATIENCE: Duration = Duration::from_secs(300);

#[derive(Clone)]
pub struct Guest {
    link: Arc<Link>,
}

/// What a command left.
#[derive(Debug, Clone)]
pub struct Output {
    pub status: Status,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

impl Guest {
    pub fn new(link: Arc<Link>) -> Self {
        Self { link }
    }

    pub fn link(&self) -> &Arc<Link> {
        &self.link
    }

    pub fn name(&self) -> &str {
        self.link.guest()
    }

    /// Starts a command; it gets no input unless some is sent.
    pub fn spawn<S: AsRef<str>>(&self, command: &[S]) -> Result<Running> {
        self.start(command, None)
    }

    /// Starts a command on a terminal of its own.
    pub fn spawn_on_terminal<S: AsRef<str>>(
        &self,
        command: &[S],
        terminal: Terminal,
    ) -> Result<Running> {
        self.start(command, Some(terminal))
    }

    fn start<S: AsRef<str>>(&self, command: &[S], terminal: Option<Terminal>) -> Result<Running> {
        let command: Vec<String> = command.iter().map(|s| s.as_ref().to_owned()).collect();
        let (job, events) = self.link.new_job();
        let name = command.join(" ");
        self.link.send(&Request::Spawn {
            job,
            command,
            terminal,
        })?;
        Ok(Running::new(self.link.clone(), job, name, events))
    }

    /// Runs a command to its end.
    pub fn run<S: AsRef<str>>(&self, command: &[S]) -> Result<Output> {
        let running = self.spawn(command)?;
        running.close_stdin()?;
        running.wait(PATIENCE)
    }

    /// Runs a shell script to its end; a script that fails is an error. Gives what it printed.
    pub fn sh(&self, script: &str) -> Result<String> {
        self.run(&["sh", "-c", script])?
            .ok(&format!("'{script}' in {}", self.name()))
    }

    pub fn read_file(&self, path: &str) -> Result<Vec<u8>> {
        let output = self.run(&["cat", path])?;
        output
            .clone()
            .ok(&format!("reading {path} in {}", self.name()))?;
        Ok(output.stdout)
    }

    pub fn write_file(&self, path: &str, bytes: &[u8]) -> Result<()> {
        let running = self.spawn(&["sh", "-c", "cat >\"$0\"", path])?;
        running.send(bytes)?;
        running.close_stdin()?;
        running
            .wait(PATIENCE)?
            .ok(&format!("writing {path} in {}", self.name()))?;
        Ok(())
    }
}

impl Output {
    /// As a shell counts: 128 and the signal's number for a command that was killed.
    pub fn exit_code(&self) -> i32 {
        match self.status {
            Status::Exited(code) => code,
            Status::Killed(signal) => 128 + signal,
            Status::NotStarted(_) => 127,
        }
    }

    pub fn success(&self) -> bool {
        self.status == Status::Exited(0)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    pub fn error_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// What it printed; an error, with what it said, unless it exited with 0.
    pub fn ok(self, what: &str) -> Result<String> {
        match &self.status {
            Status::Exited(0) => Ok(self.text()),
            Status::Exited(code) => bail!(
                "{what} failed with exit code {code}: {}",
                self.error_text().trim()
            ),
            Status::Killed(signal) => bail!(
                "{what} was killed by signal {signal}: {}",
                self.error_text().trim()
            ),
            Status::NotStarted(why) => bail!("{what}: {why}"),
        }
    }
}

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
