// SPDX-License-Identifier: GPL-2.0

//! The files in debugfs: their names for who makes them, their paths for who opens them.

macro_rules! files {
    ($debugfs:literal, $folder:literal: $( $(#[$doc:meta])* $name:ident = $file:literal; )*) => {
        /// Where debugfs is mounted.
        pub const DEBUGFS: &str = $debugfs;

        /// xcap's folder.
        pub const DIRECTORY: &str = concat!($debugfs, "/", $folder);

        $(
            $(#[$doc])*
            pub const $name: &str = concat!($debugfs, "/", $folder, "/", $file);
        )*

        /// The same, as the kernel has them: a folder and names in it.
        pub mod names {
            use core::ffi::CStr;

            /// xcap's folder.
            pub const DIRECTORY: &CStr = terminated(concat!($folder, "\0"));

            $(
                $(#[$doc])*
                pub const $name: &CStr = terminated(concat!($file, "\0"));
            )*

            const fn terminated(name: &'static str) -> &'static CStr {
                match CStr::from_bytes_with_nul(name.as_bytes()) {
                    Ok(name) => name,
                    Err(_) => panic!("a 0 in a name"),
                }
            }
        }
    };
}

files! {
    "/sys/kernel/debug", "xcap":

    /// What was measured; the format is told in [`format`](super::format).
    STATS = "stats";
    /// The same of each CPU.
    PER_CPU = "per_cpu";
    /// Each probe, and why it is in its state.
    PROBES = "probes";
    /// What the probes themselves cost, in the format of `stats`.
    CALIBRATION = "calibration";
    /// Takes commands.
    CONTROL = "control";
    /// Which frame was where and when, a binary stream: [`mark`](super::mark).
    MARKS = "marks";
}
