// SPDX-License-Identifier: GPL-2.0

//! The column `state`.

use super::words::words;

words! {
    /// What has become of a probe.
    pub enum State {
        /// The function's calls are being timed.
        Armed = "armed",
        /// `stop` took the probe off; `start` puts it back.
        Stopped = "stopped",
        /// This kernel (or this role) has no function for the stage.
        Absent = "absent",
        /// The kernel forbids probes on the function.
        Blacklisted = "blacklisted",
        /// The module that holds the function was unloaded; armed again when it comes back.
        Gone = "gone",
        /// Taken off, but calls have still to return through it.
        Draining = "draining",
        /// The kernel refused the probe; `probes` has the error.
        Failed = "failed",
    }
}
