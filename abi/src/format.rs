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
//! # cost direct hot samples=10000 inside=80000 outside=540000
//! # columns stage function backend state …
//! nic_irq e1000_intr_msix_rx direct armed - 31 …
//! softirq - - absent no_such_function 0 …
//! # end
//! ```
//!
//! Lines that start with `# ` are the header, `# KEY REST`; a reader skips
//! keys that it does not know. The last line is `# end`: without it the text was
//! cut off. Every other line is a stage: fields separated by
//! one space, as many as `# columns` names, in that order. Later versions add
//! header keys and columns at the end only; what would break a reader raises
//! [`VERSION`]. All numbers are decimal integers; cycles are TSC cycles.

/// Version of the format, in the first line: `# xcap stats 1`.
pub const VERSION: u32 = 1;

/// First line of every `stats` file, less the version.
pub const MAGIC: &str = "# xcap stats";

/// Last line of every `stats` file.
pub const END: &str = "# end";

/// Names of the columns of a stage's line, in order.
pub const COLUMNS: [&str; 27] = [
    // Name of the stage, as in the stage table or `add … as NAME`.
    "stage",
    // The kernel function whose calls are timed, or `-`.
    "function",
    // A word of `Backend`, or `-`.
    "backend",
    // A word of `State`.
    "state",
    // Why the stage is in this state: a word of `Reason`, or `-`.
    "reason",
    // Calls that yielded a sample.
    "count",
    // Sum of the samples, cycles.
    "sum",
    // Sum of their squares, cycles², up to 128 bits.
    "sumsq",
    // Least sample, cycles; 0 when `count` is 0.
    "min",
    // Greatest sample, cycles; 0 when `count` is 0.
    "max",
    // Calls entered since `reset`. At rest: entries = count + missed + in_flight.
    "entries",
    // Entries that yielded no sample: the sum of the `missed_*` columns.
    "missed",
    // … because no kretprobe instance or no shadow stack was free.
    "missed_pool",
    // … because they hit inside another probe's handler.
    "missed_busy",
    // … because the call straddled `start`, `stop` or `reset`.
    "missed_straddled",
    // … because the TSC ran backwards in between.
    "missed_negative",
    // Calls entered and not yet returned.
    "in_flight",
    // Samples whose call ended on another CPU than it began on.
    "migrated",
    // Samples during which the CPU switched to another task (not migrated).
    "switched",
    // Samples with a self time: count − migrated − switched.
    "self_count",
    // Sum of self times, cycles: sample less nested stages and interrupts.
    "self_sum",
    // Work done by the counted calls (frames, grants), 0 where the stage has none.
    "work",
    // What the probes nested in the calls with a self time cost, cycles, by `# cost`.
    "nested_cost",
    // Part of `nested_cost` that lies outside the nested samples, so in the self time.
    "nested_outside",
    // What `work` counts: `frames`, `grants`, or `-`.
    "work_unit",
    // 1: all columns describe one set of samples; 0: approximate (`stop` makes it exact).
    "exact",
    // Histogram: `bucket:count` for each bucket that is not empty, by commas, or `-`.
    "histogram",
];
