// SPDX-License-Identifier: GPL-2.0

//! The live view's turn: readings, keys, and the terminal as it was before.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::DefaultTerminal;
use xcap_abi::paths::{CONTROL, DIRECTORY};
use xcap_read::cli::{Cli, Sort};
use xcap_read::live::{draw, History, Screen};
use xcap_stats::{Report, Stats};

use crate::chosen::{choose, sort};
use crate::reading::read;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// A signal to end is looked for so often.
const PATIENCE: Duration = Duration::from_millis(250);

/// Draws until it is told to end, or xcap goes away.
pub fn live(cli: &Cli, seconds: f64) -> Outcome<()> {
    // What is wrong with it is said before the terminal is taken.
    let mut first = read(cli.file())?;
    choose(cli, &mut first)?;
    let ended = Arc::new(AtomicBool::new(false));
    let on_signal = Arc::clone(&ended);
    ctrlc::set_handler(move || on_signal.store(true, Ordering::SeqCst))?;
    let mut terminal = ratatui::try_init()?;
    let outcome = View::new(cli, seconds).run(&mut terminal, &ended);
    ratatui::restore();
    outcome
}

struct View<'a> {
    cli: &'a Cli,
    seconds: f64,
    /// When the next reading is.
    due: Instant,
    history: History,
    order: Sort,
    skipped: usize,
    said: String,
    colours: bool,
}

impl<'a> View<'a> {
    fn new(cli: &'a Cli, seconds: f64) -> Self {
        Self {
            cli,
            seconds,
            due: Instant::now(),
            history: History::default(),
            order: cli.sort,
            skipped: 0,
            said: String::new(),
            colours: std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        }
    }

    fn run(&mut self, terminal: &mut DefaultTerminal, ended: &AtomicBool) -> Outcome<()> {
        let between = Duration::from_secs_f64(self.seconds);
        while !ended.load(Ordering::SeqCst) {
            let now = Instant::now();
            if now >= self.due {
                let stats = read(self.cli.file())?;
                self.history.push(now, stats);
                self.due = now + between;
            }
            self.draw(terminal)?;
            if event::poll(self.due.saturating_duration_since(now).min(PATIENCE))? {
                match event::read()? {
                    Event::Key(key) if key.kind != KeyEventKind::Release && self.press(key) => {
                        return Ok(());
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn draw(&mut self, terminal: &mut DefaultTerminal) -> Outcome<()> {
        let Some(mut shown) = self.history.stats().cloned() else {
            return Ok(());
        };
        let report = Report::new(&shown, self.cli.options());
        choose(self.cli, &mut shown)?;
        sort(&mut shown.stages, self.order);
        let order = self.order.to_possible_value();
        let screen = Screen {
            report: &report,
            stages: &shown.stages,
            history: &self.history,
            seconds: self.seconds,
            order: order.as_ref().map_or("", |order| order.get_name()),
            skipped: self.skipped,
            said: &self.said,
            colours: self.colours,
        };
        let mut room = 0;
        terminal.draw(|frame| room = draw(frame, &screen))?;
        self.skipped = self.skipped.min(shown.stages.len().saturating_sub(room));
        Ok(())
    }

    /// Does what a key asks for. True: to end.
    fn press(&mut self, key: KeyEvent) -> bool {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('q') | KeyCode::Esc => return true,
            KeyCode::Char('c') if control => return true,
            KeyCode::Char('r') => self.command("reset"),
            KeyCode::Char('s') => {
                let recording = self
                    .history
                    .stats()
                    .and_then(|stats: &Stats| stats.recording);
                self.command(if recording == Some(false) {
                    "start"
                } else {
                    "stop"
                });
            }
            KeyCode::Char('o') => {
                let all = Sort::value_variants();
                let at = all
                    .iter()
                    .position(|order| *order == self.order)
                    .unwrap_or(0);
                self.order = all[(at + 1) % all.len()];
            }
            KeyCode::Down => self.skipped += 1,
            KeyCode::Up => self.skipped = self.skipped.saturating_sub(1),
            _ => {}
        }
        false
    }

    /// Writes a command to xcap, if it is xcap that is watched.
    fn command(&mut self, word: &str) {
        self.said = if !self.cli.file().starts_with(DIRECTORY) {
            format!("no {word}: this is a saved file")
        } else {
            match fs::write(CONTROL, word) {
                Ok(()) => {
                    // The next key is pressed in the knowledge of what this one did.
                    self.due = Instant::now();
                    word.to_owned()
                }
                Err(error) => format!("no {word}: {error}"),
            }
        };
    }
}
