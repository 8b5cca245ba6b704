// SPDX-License-Identifier: GPL-2.0

//! The command line.

use clap::Parser;

/// Says whether this machine will give good figures, and what to do where not.
///
/// Looks at the kernel, xcap's module, the clock, the processor's frequency,
/// threads and mitigations, other tracers, and lockdown; then says which stages
/// are measured and why others are not. It changes nothing. Run it as root: what
/// others have hooked, only root sees.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 80, after_help = EXAMPLES)]
pub struct Cli {
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

const EXAMPLES: &str = "\
Examples:
  xcap-doctor                             one screen
  xcap-doctor >/dev/null && xcap-recv …   measure only where it makes sense
  xcap-doctor --json | jq -r '.checks[] | select(.verdict == \"bad\").advice'

Exit status: 0 good figures, 1 none (there is no module, say), 2 wrong usage, \
3 doubtful figures (a trapped clock, say).";
