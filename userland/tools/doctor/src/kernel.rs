// SPDX-License-Identifier: GPL-2.0

//! Whether the running kernel is one that xcap can be built for.

use crate::check::Check;
use crate::host::Host;

/// What the module needs.
const NEEDED: [&str; 4] = [
    "RUST",
    "MODULES",
    "DEBUG_FS",
    "DYNAMIC_FTRACE_WITH_DIRECT_CALLS",
];

/// The first kernel that has what the module is written in.
const FIRST: (u32, u32) = (7, 2);

/// How a kernel was configured, as far as that is told.
struct Configuration(Option<String>);

impl Configuration {
    fn of(host: &Host) -> Self {
        let release = host.release();
        let places = [
            format!("/boot/config-{release}"),
            format!("/lib/modules/{release}/config"),
            format!("/lib/modules/{release}/build/.config"),
            format!("/usr/lib/kernel/config-{release}"),
        ];
        Self(places.into_iter().find_map(|place| host.text(place)))
    }

    /// None: not known.
    fn has(&self, option: &str) -> Option<bool> {
        let wanted = format!("CONFIG_{option}=y");
        let text = self.0.as_ref()?;
        Some(text.lines().any(|line| line == wanted))
    }

    /// Options that the module needs, and that are off.
    fn lacks(&self) -> Vec<String> {
        let lacking = NEEDED
            .iter()
            .filter(|option| self.has(option) == Some(false));
        lacking.map(|option| format!("CONFIG_{option}")).collect()
    }
}

/// Why the module can't be had for the running kernel, if it can't.
pub fn unfit(host: &Host) -> Option<String> {
    let lacking = Configuration::of(host).lacks();
    if !lacking.is_empty() {
        return Some(format!("is built without {}", lacking.join(", ")));
    }
    is_old(&host.release()).then(|| format!("is older than {}.{}", FIRST.0, FIRST.1))
}

pub fn check(host: &Host) -> Check {
    let release = host.release();
    if let Some(why) = unfit(host) {
        return Check::fatal("kernel", format!("{release}, which {why}"))
            .advise("boot one with Rust: Debian's from 7.2 on has it (backports, forky, sid)");
    }
    let configuration = Configuration::of(host);
    match configuration.has("DYNAMIC_FTRACE_WITH_JMP") {
        Some(true) => Check::good("kernel", format!("{release}; ftrace can jump to probes")),
        Some(false) => Check::note(
            "kernel",
            format!("{release}; ftrace calls probes, so that a hit mispredicts one return"),
        ),
        None => Check::note(
            "kernel",
            format!("{release}; how it was configured is not told"),
        ),
    }
}

fn is_old(release: &str) -> bool {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) < FIRST,
        _ => false,
    }
}
