// SPDX-License-Identifier: GPL-2.0

//! One command that runs in the guest.

use anyhow::{Context, Result};
use nix::libc;
use nix::pty::{openpty, Winsize};
use nix::sys::signal::{killpg, Signal};
use nix::unistd::{setsid, Pid};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{channel, Receiver, RecvTimeoutError, Sender};
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use xcap_guest::protocol::{Event, Status, Stream, Terminal, CHUNK};

/// Longer than a chunk of output takes on the slowest line.
const GRACE: Duration = Duration::from_secs(5);

/// Where a job's events go.
pub type Report = Arc<dyn Fn(Event) + Send + Sync>;

pub struct Job {
    group: Pid,
    terminal: Option<File>,
    stdin: Sender<Vec<u8>>,
}

impl Job {
    /// Starts `command`; everything that comes of it goes to `report`.
    pub fn start(
        id: u32,
        command: &[String],
        terminal: Option<&Terminal>,
        report: Report,
    ) -> Result<Self> {
        let (program, arguments) = command.split_first().context("no command")?;
        let mut command = Command::new(program);
        command.args(arguments);
        let terminal = match terminal {
            Some(terminal) => Some(attach_terminal(&mut command, terminal)?),
            None => {
                attach_pipes(&mut command);
                None
            }
        };
        lead_session(&mut command, terminal.is_some());
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot run '{program}'"))?;
        // It holds the terminal's other end, of which the job is to have the last.
        drop(command);
        let group = Pid::from_raw(child.id() as i32);
        let (stdin, chunks) = channel();
        let (done, readers_done) = channel();
        let output = Output {
            job: id,
            report: report.clone(),
            passed: Arc::default(),
            done,
        };
        let passed = output.passed.clone();
        match &terminal {
            Some(terminal) => {
                write_stdin(id, terminal.try_clone()?, chunks, report.clone());
                output.follow(terminal.try_clone()?, Stream::Stdout);
            }
            None => {
                let pipe = "piped above";
                write_stdin(id, child.stdin.take().expect(pipe), chunks, report.clone());
                output.follow(child.stdout.take().expect(pipe), Stream::Stdout);
                output.follow(child.stderr.take().expect(pipe), Stream::Stderr);
            }
        }
        // Its end of `done` would keep the readers' from being seen.
        drop(output);
        thread::spawn(move || report_end(id, child, &passed, &readers_done, &report));
        Ok(Self {
            group,
            terminal,
            stdin,
        })
    }

    /// Hands bytes to the job's input; none close it.
    pub fn feed(&self, data: Vec<u8>) {
        // A job that has ended reads nothing more: its input is lost, as on any pipe.
        let _ = self.stdin.send(data);
    }

    pub fn signal(&self, signal: i32) {
        if let Ok(signal) = Signal::try_from(signal) {
            // There may be nobody left to get it.
            let _ = killpg(self.group, signal);
        }
    }

    pub fn resize(&self, rows: u16, columns: u16) {
        if let Some(terminal) = &self.terminal {
            let size = winsize(rows, columns);
            // SAFETY: The descriptor is open as long as `terminal` is, and TIOCSWINSZ only reads `size`.
            unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCSWINSZ, &size) };
        }
    }
}

fn winsize(rows: u16, columns: u16) -> Winsize {
    Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    }
}

fn attach_terminal(command: &mut Command, terminal: &Terminal) -> Result<File> {
    let size = winsize(terminal.rows, terminal.columns);
    let pty = openpty(Some(&size), None)?;
    command
        .env("TERM", &terminal.name)
        .stdin(pty.slave.try_clone()?)
        .stdout(pty.slave.try_clone()?)
        .stderr(pty.slave);
    Ok(File::from(pty.master))
}

fn attach_pipes(command: &mut Command) {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
}

/// Has the command lead a session, so that signals reach all that it starts; its input may be its terminal.
fn lead_session(command: &mut Command, on_terminal: bool) {
    // SAFETY: setsid and ioctl are async-signal-safe, and nothing is allocated between fork and exec.
    unsafe {
        command.pre_exec(move || {
            setsid()?;
            if on_terminal && libc::ioctl(0, libc::TIOCSCTTY, 0) != 0 {
                return Err(std::io::Error::last_os_error());
            }
            Ok(())
        });
    }
}

fn write_stdin(
    job: u32,
    mut sink: impl Write + Send + 'static,
    chunks: Receiver<Vec<u8>>,
    report: Report,
) {
    thread::spawn(move || {
        for data in chunks {
            let end = data.is_empty();
            // A job may close its input and go on.
            let _ = sink.write_all(&data).and_then(|()| sink.flush());
            report(Event::Accepted { job });
            if end {
                break;
            }
        }
    });
}

/// Where a job's output goes.
#[derive(Clone)]
struct Output {
    job: u32,
    report: Report,
    /// Chunks that were passed on.
    passed: Arc<AtomicU64>,
    /// Closed when the last reader has ended.
    done: Sender<()>,
}

impl Output {
    /// Passes on what comes from `source`, in a thread of its own.
    fn follow(&self, mut source: impl Read + Send + 'static, stream: Stream) {
        let output = self.clone();
        thread::spawn(move || {
            let mut buffer = [0; CHUNK];
            while let Ok(n @ 1..) = source.read(&mut buffer) {
                (output.report)(Event::Output {
                    job: output.job,
                    stream,
                    data: buffer[..n].to_vec(),
                });
                output.passed.fetch_add(1, Relaxed);
            }
            // Nobody waits for it once the job was given up as ended.
            let _ = output.done.send(());
        });
    }
}

fn report_end(
    job: u32,
    mut child: Child,
    passed: &AtomicU64,
    readers_done: &Receiver<()>,
    report: &Report,
) {
    let status = child.wait();
    // Something left in the background may hold the pipes open for ever: once it is silent, the job has ended all the
    // same.
    let mut seen = passed.load(Relaxed);
    loop {
        match readers_done.recv_timeout(GRACE) {
            Ok(()) => {}
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) if passed.load(Relaxed) == seen => break,
            Err(RecvTimeoutError::Timeout) => seen = passed.load(Relaxed),
        }
    }
    let status = match status {
        Ok(status) => match status.signal() {
            Some(signal) => Status::Killed(signal),
            None => Status::Exited(status.code().unwrap_or(255)),
        },
        Err(e) => Status::NotStarted(e.to_string()),
    };
    report(Event::Ended { job, status });
}
