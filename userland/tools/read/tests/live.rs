// SPDX-License-Identifier: GPL-2.0

//! `--watch` on a terminal.

use std::fs::{self, File};
use std::io::Read;
use std::io::Write;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{channel, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use nix::pty::{openpty, Winsize};
use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;
use xcap_stats::{rewritten, Stage};

/// dom0 at w0s0064.
const DOM0: &str = "tests/data/dom0.stats";

/// More than anything here takes that isn't hanging.
const PATIENCE: Duration = Duration::from_secs(30);

nix::ioctl_write_ptr_bad!(set_size, nix::libc::TIOCSWINSZ, Winsize);

/// xcap-read on a terminal of its own.
struct Terminal {
    child: Child,
    keyboard: File,
    output: Receiver<Vec<u8>>,
    screen: vt100::Parser,
}

const fn size(rows: u16, columns: u16) -> Winsize {
    Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    }
}

impl Terminal {
    fn watching(file: &Path, environment: &[(&str, &str)]) -> Self {
        let pty = openpty(&size(24, 80), None).unwrap();
        let other = |end: &OwnedFd| end.try_clone().unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_xcap-read"))
            .arg(file)
            .args(["--watch", "0.1"])
            .env("TERM", "xterm-256color")
            .env_remove("NO_COLOR")
            .envs(environment.iter().copied())
            .stdin(other(&pty.slave))
            .stdout(other(&pty.slave))
            .stderr(pty.slave)
            .spawn()
            .unwrap();
        let keyboard = File::from(other(&pty.master));
        let mut master = File::from(pty.master);
        let (sender, output) = channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            // An error: nobody has the terminal any more.
            while let Ok(length @ 1..) = master.read(&mut buffer) {
                if sender.send(buffer[..length].to_owned()).is_err() {
                    break;
                }
            }
        });
        Self {
            child,
            keyboard,
            output,
            screen: vt100::Parser::new(24, 80, 0),
        }
    }

    fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until the screen is as it should be.
    #[track_caller]
    fn until(&mut self, what: &str, come: impl Fn(&vt100::Screen) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !come(self.screen.screen()) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.screen.process(&bytes),
                Err(_) => panic!(
                    "{what}: never; there is:\n{}",
                    self.screen.screen().contents()
                ),
            }
        }
    }

    #[track_caller]
    fn until_shown(&mut self, text: &str) {
        self.until(text, |screen| screen.contents().contains(text));
    }

    /// Waits for its end, and takes in what it wrote till then.
    fn end(&mut self) -> ExitStatus {
        let status = self.child.wait().unwrap();
        while let Ok(bytes) = self.output.recv_timeout(Duration::from_millis(200)) {
            self.screen.process(&bytes);
        }
        status
    }

    fn is_coloured(&self) -> bool {
        let screen = self.screen.screen();
        let (rows, columns) = screen.size();
        let places = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
        let mut cells = places.filter_map(|(row, column)| screen.cell(row, column));
        cells.any(|cell| cell.fgcolor() != vt100::Color::Default)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A copy of a saved file that can be written to.
fn saved(folder: &tempfile::TempDir) -> PathBuf {
    let file = folder.path().join("stats");
    fs::copy(DOM0, &file).unwrap();
    file
}

/// Makes each call of the file happen once more, whole or not at all.
fn double(file: &Path) {
    let text = fs::read_to_string(file).unwrap();
    let twice = |stage: &Stage| {
        let mut twice = stage.clone();
        twice.merge(stage);
        twice
    };
    let new = file.with_extension("new");
    fs::write(&new, rewritten(&text, twice).unwrap()).unwrap();
    fs::rename(new, file).unwrap();
}

#[test]
fn it_shows_rates_and_the_last_minute_and_leaves_the_terminal_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let file = saved(&folder);
    let mut terminal = Terminal::watching(&file, &[]);
    terminal.until_shown("last minute");
    terminal.until_shown("nic_poll");
    terminal.until_shown("recording, every 0.1 s, by path");
    assert!(terminal.screen.screen().alternate_screen());
    // Nothing comes in, then all calls once more.
    terminal.until("a row of zeros", |screen| {
        screen.contents().contains("0.00")
    });
    assert!(!terminal.screen.screen().contents().contains('█'));
    double(&file);
    terminal.until_shown("█");
    terminal.press("o");
    terminal.until_shown("by name");
    terminal.press("r");
    terminal.until_shown("no reset: this is a saved file");
    terminal.press("q");
    assert!(terminal.end().success());
    let screen = terminal.screen.screen();
    assert!(!screen.alternate_screen() && !screen.hide_cursor());
}

#[test]
fn it_fits_a_small_terminal_and_scrolls() {
    let folder = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::watching(&saved(&folder), &[]);
    terminal.until_shown("notify");
    terminal.screen.set_size(8, 50);
    // SAFETY: A terminal's descriptor, and a size that lives as long as the call.
    unsafe { set_size(terminal.keyboard.as_raw_fd(), &size(8, 50)) }.unwrap();
    kill(Pid::from_raw(terminal.child.id() as i32), Signal::SIGWINCH).unwrap();
    terminal.until("the last line is that of the keys", |screen| {
        screen
            .rows(0, 50)
            .nth(7)
            .is_some_and(|line| line.starts_with("q quit"))
    });
    terminal.until("it has no room", |screen| {
        !screen.contents().contains("notify")
    });
    for _ in 0..5 {
        terminal.press("\x1b[B");
    }
    terminal.until_shown("notify");
}

#[test]
fn no_color_is_respected() {
    let folder = tempfile::tempdir().unwrap();
    let file = saved(&folder);
    for (environment, coloured) in [(&[][..], true), (&[("NO_COLOR", "1")][..], false)] {
        let mut terminal = Terminal::watching(&file, environment);
        terminal.until_shown("nic_poll");
        terminal.until_shown("q quit");
        assert_eq!(terminal.is_coloured(), coloured);
    }
}

#[test]
fn a_signal_ends_it_with_the_terminal_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::watching(&saved(&folder), &[]);
    terminal.until_shown("nic_poll");
    kill(Pid::from_raw(terminal.child.id() as i32), Signal::SIGTERM).unwrap();
    assert!(terminal.end().success());
    assert!(!terminal.screen.screen().alternate_screen());
}

#[test]
fn a_file_that_is_not_there_is_said_on_the_terminal_as_it_is() {
    let mut terminal = Terminal::watching(Path::new("/nowhere/stats"), &[]);
    assert_eq!(terminal.end().code(), Some(1));
    let screen = terminal.screen.screen();
    assert!(screen.contents().contains("cannot read '/nowhere/stats'"));
}
