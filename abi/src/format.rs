// SPDX-License-Identifier: GPL-2.0

//! The `stats` text: version, header keys, columns, words.
//!
//! ```text
//! # xcap stats 1
//! # kernel 7.3.4+deb13-amd64
//! # role dom0
//! # cpus 1
//! # tsc_khz 2600000
//! # tsc invariant=1 trapped=0 rdtsc_cycles=24 skew_cycles=0 source=kernel
//! # recording 1
//! # cost direct hot samples=64 inside=512 outside=3520 inside_quartile=520 outside_quartile=3540
//! # cost direct hot_under_16 samples=64 inside=512 …
//! # columns stage function backend state …
//! nic_irq e1000_intr_msix_rx direct armed - 31 …
//! softirq - - absent no_such_function 0 …
//! # end
//! ```
//!
//! Lines that start with `# ` are the header, `# KEY REST`; a reader skips
//! keys that it does not know. The last line is `# end`: without it the text was
//! cut off. Every other line is a stage: fields separated by
//! one space, as many as `# columns` names, in that order; [`figures!`](crate::figures)
//! declares them. Later versions add header keys and columns at the end only;
//! readers do without those that came later. What would break a reader raises [`VERSION`]. All numbers are decimal integers; cycles are TSC cycles.

/// Version of the format, in the first line: `# xcap stats 1`.
pub const VERSION: u32 = 1;

/// First line of every `stats` file, less the version.
pub const MAGIC: &str = "# xcap stats";

/// The column that `per_cpu` has besides, at the end: a CPU's number, or `-` for calls that the kernel
/// lost on none that is known. A probe has a line for each CPU that has something to tell; all of them
/// added up are the probe's line of `stats`. A call is entered on one CPU and may return on another, so
/// that `entries` and `in_flight` of one can be below zero: they are written modulo 2^64, as they add up.
pub const CPU: &str = "cpu";

/// Last line of every `stats` file.
pub const END: &str = "# end";
