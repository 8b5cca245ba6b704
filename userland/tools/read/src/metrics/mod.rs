// SPDX-License-Identifier: GPL-2.0

//! A reading for Prometheus and what understands its formats.
//!
//! The unit is the cycle, of the TSC, as everywhere in xcap: divided by `xcap_tsc_hertz`, it is seconds. Counters end
//! in `_total`; they begin anew with `reset` and with the module, as counters may.

mod exposition;
mod families;
mod steps;

pub use exposition::Syntax;
pub use steps::Steps;

use xcap_stats::Stats;

/// The whole text; without `stats`, that there are none.
pub fn text(stats: Option<&Stats>, syntax: Syntax, steps: Steps) -> String {
    let mut text = exposition::Text::new(syntax);
    for family in families::of(stats, steps) {
        text.family(&family);
    }
    text.end()
}
