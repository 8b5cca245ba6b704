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
//! one space, as many as `# columns` names, in that order; [`figures!`](crate::figures)
//! declares them. Later versions add header keys and columns at the end only;
//! what would break a reader raises [`VERSION`]. All numbers are decimal integers; cycles are TSC cycles.

/// Version of the format, in the first line: `# xcap stats 1`.
pub const VERSION: u32 = 1;

/// First line of every `stats` file, less the version.
pub const MAGIC: &str = "# xcap stats";

/// Last line of every `stats` file.
pub const END: &str = "# end";

/// Words of the `state` column.
pub mod state {
    /// The function's calls are being timed.
    pub const ARMED: &str = "armed";
    /// `stop` took the probe off; `start` puts it back.
    pub const STOPPED: &str = "stopped";
    /// This kernel (or this role) has no function for the stage.
    pub const ABSENT: &str = "absent";
    /// The kernel forbids probes on the function.
    pub const BLACKLISTED: &str = "blacklisted";
    /// The module that holds the function was unloaded; armed again when it comes back.
    pub const GONE: &str = "gone";
    /// Taken off, but calls have still to return through it.
    pub const DRAINING: &str = "draining";
    /// The kernel refused the probe; `probes` has the error.
    pub const FAILED: &str = "failed";
}

/// Words of the `backend` column.
pub mod backend {
    /// kprobe at entry, rethook at return.
    pub const KRETPROBE: &str = "kretprobe";
    /// fprobe: ftrace entry, function-graph return.
    pub const FPROBE: &str = "fprobe";
    /// ftrace direct call into xcap's own trampoline.
    pub const DIRECT: &str = "direct";
}

/// Words of `# role`.
pub mod role {
    /// No hypervisor that xcap knows.
    pub const BARE: &str = "bare";
    /// Xen's privileged domain.
    pub const DOM0: &str = "dom0";
    /// A paravirtual guest.
    pub const DOMU_PV: &str = "domU-pv";
    /// A PVH guest.
    pub const DOMU_PVH: &str = "domU-pvh";
    /// An HVM guest.
    pub const DOMU_HVM: &str = "domU-hvm";
}
