// SPDX-License-Identifier: GPL-2.0

//! How far the study is: a bar on a terminal, lines elsewhere; on stderr.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use indicatif::{HumanDuration, ProgressBar, ProgressStyle};

pub struct Progress {
    bar: ProgressBar,
    all: usize,
    done: AtomicUsize,
    /// Runs of earlier starts.
    kept: usize,
    begun: Instant,
}

impl Progress {
    /// `left` of `all` runs are still to be made.
    pub fn new(all: usize, left: usize) -> Self {
        let kept = all - left;
        let bar = ProgressBar::new(all as u64);
        let style = ProgressStyle::with_template("{bar:20} {pos}/{len} {eta} left  {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_position(kept as u64);
        bar.reset_eta();
        let progress = Self {
            bar,
            all,
            done: AtomicUsize::new(kept),
            kept,
            begun: Instant::now(),
        };
        if kept > 0 {
            progress.say(&format!("{kept} of {all} runs are there already"));
        }
        progress
    }

    /// What is being done.
    pub fn at(&self, what: &str) {
        self.bar.set_message(what.to_owned());
    }

    pub fn finished(&self, what: &str) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        self.bar.set_position(done as u64);
        if self.bar.is_hidden() {
            let each = self.begun.elapsed() / (done - self.kept) as u32;
            let left = HumanDuration(each * (self.all - done) as u32);
            eprintln!("[{done}/{}] {what}, about {left} left", self.all);
        }
    }

    pub fn say(&self, text: &str) {
        if self.bar.is_hidden() {
            eprintln!("xcap-paper: {text}");
        } else {
            self.bar.println(text);
        }
    }

    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}
