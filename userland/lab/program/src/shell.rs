// SPDX-License-Identifier: GPL-2.0

//! `shell`: a person's prompt in a guest.

use crate::exec::{exit_code, materials};
use anyhow::{bail, Result};
use nix::libc;
use nix::sys::termios::{cfmakeraw, tcgetattr, tcsetattr, SetArg, Termios};
use std::io::{stdin, IsTerminal};
use std::os::fd::AsRawFd;
use std::process::ExitCode;
use std::time::Duration;
use xcap_guest::protocol::Terminal;
use xcap_lab::cli::ShellOptions;
use xcap_machines::talk::running::Input;
use xcap_machines::Lab;

pub fn shell(options: &ShellOptions) -> Result<ExitCode> {
    if !stdin().is_terminal() {
        bail!("a shell needs a terminal: `xcap-lab exec` runs commands without one");
    }
    let materials = materials(&options.lab)?;
    let mut lab = Lab::boot(&materials, &options.lab.config(options.place))?;
    match talk(&lab, options) {
        Ok(code) => Ok(code),
        Err(e) => Err(lab.explain(e)),
    }
}

fn talk(lab: &Lab, options: &ShellOptions) -> Result<ExitCode> {
    eprintln!(
        "xcap-lab: this is {}; `exit` ends it and the lab",
        options.place
    );
    let (rows, columns) = size();
    let terminal = Terminal {
        name: std::env::var("TERM").unwrap_or_else(|_| "vt100".to_owned()),
        rows,
        columns,
    };
    let running = lab
        .guest(options.place)
        .spawn_on_terminal(&["sh", "-l"], terminal)?;
    let _raw = Raw::enter()?;
    let mut input = running.input();
    let sizes = running.input();
    std::thread::spawn(move || std::io::copy(&mut stdin(), &mut input));
    std::thread::spawn(move || follow_size(&sizes, (rows, columns)));
    let output = running.forward(&mut std::io::stdout(), &mut std::io::stderr())?;
    Ok(exit_code(&output))
}

fn size() -> (u16, u16) {
    // SAFETY: TIOCGWINSZ fills a winsize, for which all zeroes is a valid value too.
    let size = unsafe {
        let mut size: libc::winsize = std::mem::zeroed();
        libc::ioctl(stdin().as_raw_fd(), libc::TIOCGWINSZ, &mut size);
        size
    };
    match (size.ws_row, size.ws_col) {
        (0, _) | (_, 0) => (24, 80),
        size => size,
    }
}

fn follow_size(input: &Input, mut known: (u16, u16)) {
    loop {
        std::thread::sleep(Duration::from_millis(300));
        let now = size();
        if now != known && input.resize(now.0, now.1).is_err() {
            return;
        }
        known = now;
    }
}

/// The terminal passes every key on, until this is dropped.
struct Raw {
    before: Termios,
}

impl Raw {
    fn enter() -> Result<Self> {
        let before = tcgetattr(stdin())?;
        let mut raw = before.clone();
        cfmakeraw(&mut raw);
        tcsetattr(stdin(), SetArg::TCSANOW, &raw)?;
        Ok(Self { before })
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = tcsetattr(stdin(), SetArg::TCSANOW, &self.before);
    }
}
