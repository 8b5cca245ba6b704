// SPDX-License-Identifier: GPL-2.0

//! Who else hooks the kernel's functions.

use std::collections::BTreeMap;

use crate::check::Check;
use crate::host::Host;

const TRACING: [&str; 2] = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"];

/// The functions that xcap has hooked, and how many of ftrace's users of each it is at most.
pub type Ours<'a> = BTreeMap<&'a str, u32>;

/// All that slows functions down or has them already, but `ours`.
pub fn check(host: &Host, ours: &Ours) -> Check {
    let mut found = Vec::new();
    let tracing = TRACING
        .iter()
        .find(|folder| host.exists(format!("{folder}/current_tracer")));
    if let Some(folder) = tracing {
        let tracer = host
            .text(format!("{folder}/current_tracer"))
            .unwrap_or_default();
        if tracer != "nop" {
            found.push(format!("the tracer {tracer}"));
        }
        let hooked = host
            .text(format!("{folder}/enabled_functions"))
            .unwrap_or_default();
        let others = hooked
            .lines()
            .filter(|line| is_anothers(line, ours))
            .count();
        if others > 0 {
            found.push(format!(
                "functions hooked by ftrace: {others} (BPF, livepatch, trace-cmd)"
            ));
        }
    }
    let kprobes = host
        .text("/sys/kernel/debug/kprobes/list")
        .unwrap_or_default();
    let kprobes = kprobes
        .lines()
        .filter(|line| !ours.contains_key(probed(line)))
        .count();
    if kprobes > 0 {
        found.push(format!("kprobes: {kprobes}"));
    }
    let patches = host.names("/sys/kernel/livepatch");
    if !patches.is_empty() {
        found.push(format!("livepatch {}", patches.join(", ")));
    }
    if !found.is_empty() {
        return Check::note("tracers", found.join("; ")).advise(
            "what they do in a stage's functions is in its figures: stop them for clean ones",
        );
    }
    match tracing {
        Some(_) => Check::good("tracers", "no others"),
        None => Check::note(
            "tracers",
            "not told: only root sees them, where tracefs is mounted",
        ),
    }
}

/// Whether a line of `enabled_functions`, `FUNCTION (USERS) …`, tells of another user than xcap. Lines that are set in
/// say more of the one before.
fn is_anothers(line: &str, ours: &Ours) -> bool {
    let Some((function, users)) = line.split_once(" (") else {
        return false;
    };
    // A module's function is followed by the module: `e1000e_poll [e1000e]`. In xcap's own is nobody else.
    if function.ends_with(" [xcap]") {
        return false;
    }
    let function = function.split(' ').next().unwrap_or(function);
    let users = users
        .split(')')
        .next()
        .and_then(|number| number.parse().ok());
    !line.starts_with(char::is_whitespace)
        && users.unwrap_or(1) > ours.get(function).copied().unwrap_or(0)
}

/// The function of a line of kprobes' list, `ADDRESS  k  FUNCTION+0x0  …`.
fn probed(line: &str) -> &str {
    let place = line.split_whitespace().nth(2).unwrap_or_default();
    place.split('+').next().unwrap_or_default()
}
