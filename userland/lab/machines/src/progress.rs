// SPDX-License-Identifier: GPL-2.0

//! Tells on stderr what takes long: a spinner on a terminal, plain lines elsewhere.

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// Shorter steps are not worth a second line.
const WORTH_TELLING: Duration = Duration::from_secs(2);

/// Steps that are under way at once have a line each.
static LINES: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// A step under way. It ends with [`Step::done`]; dropped before, it has failed.
pub struct Step {
    text: String,
    begun: Instant,
    bar: ProgressBar,
    ended: bool,
}

pub fn step(text: impl Into<String>) -> Step {
    let text = text.into();
    let bar = LINES.add(ProgressBar::new_spinner());
    if bar.is_hidden() {
        eprintln!("xcap-lab: {text} …");
    } else {
        let style = ProgressStyle::with_template("{spinner} {prefix} [{elapsed}] {wide_msg:.dim}")
            .expect("the template is well formed");
        bar.set_style(style);
        bar.set_prefix(text.clone());
        bar.enable_steady_tick(Duration::from_millis(120));
    }
    Step {
        text,
        begun: Instant::now(),
        bar,
        ended: false,
    }
}

impl Step {
    /// What the step is at.
    pub fn note(&self, message: &str) {
        self.bar.set_message(message.to_owned());
    }

    pub fn done(mut self) {
        self.ended = true;
        let taken = self.begun.elapsed();
        self.bar.finish_and_clear();
        if taken >= WORTH_TELLING {
            LINES.suspend(|| eprintln!("xcap-lab: {}: {} s", self.text, taken.as_secs()));
        }
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        if !self.ended {
            self.bar.finish_and_clear();
        }
    }
}
