// SPDX-License-Identifier: GPL-2.0

//! Tells on stderr how far a measurement is: a bar on a terminal, plain lines elsewhere.

use indicatif::{ProgressBar, ProgressStyle};

pub struct Bar {
    bar: ProgressBar,
    what: String,
}

impl Bar {
    pub fn new(what: &str, steps: u64) -> Self {
        let bar = ProgressBar::new(steps);
        let style = ProgressStyle::with_template("{prefix:12} {bar:30} {pos}/{len} [{eta} left]");
        bar.set_style(style.expect("the template is well formed"));
        bar.set_prefix(what.to_owned());
        if bar.is_hidden() {
            eprintln!("xcap-bench: {what}: {steps} runs …");
        }
        Self {
            bar,
            what: what.to_owned(),
        }
    }

    pub fn step(&self) {
        self.bar.inc(1);
    }

    pub fn done(self) {
        self.bar.finish_and_clear();
        let (runs, elapsed) = (self.bar.position(), self.bar.elapsed().as_secs_f64());
        eprintln!("xcap-bench: {}: {runs} runs in {elapsed:.1} s", self.what);
    }
}
