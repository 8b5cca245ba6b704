// SPDX-License-Identifier: GPL-2.0

//! The module's words for a stage's state, as a sentence.

use xcap_abi::format::state;

use crate::Stage;

/// Why the stage isn't being timed; nothing for one that is.
pub fn explain(stage: &Stage) -> Option<String> {
    if stage.is_armed() {
        return None;
    }
    let why = stage.reason.as_deref().map(because);
    if let (state::ABSENT, Some(why)) = (stage.state.as_str(), &why) {
        return Some(why.clone());
    }
    let function = stage.function.as_deref().unwrap_or("its function");
    let what = match stage.state.as_str() {
        state::STOPPED => "stopped; `echo start` into control arms it again".into(),
        state::ABSENT => "nothing to time in this kernel".into(),
        state::BLACKLISTED => format!("the kernel forbids probes on {function}"),
        state::GONE => format!("the module with {function} was unloaded"),
        state::DRAINING => format!("taken off, calls of {function} have yet to return"),
        state::FAILED => format!("the kernel refused the probe on {function}"),
        other => other.into(),
    };
    Some(match why {
        Some(why) => format!("{what}: {why}"),
        None => what,
    })
}

fn because(reason: &str) -> String {
    match reason {
        "no_such_function" => "none of its functions exists in this kernel".into(),
        "no_such_module" | "no_driver" => "no driver that has its function is loaded".into(),
        "other_role" | "wrong_role" => "not a stage of this role".into(),
        "inlined" => "the compiler inlined it, so nothing is left to probe".into(),
        "duplicate" | "duplicate_name" => "several functions have this name".into(),
        "stack_arguments" => "it takes arguments on the stack".into(),
        "slot_taken" | "busy" => "another tracer holds its ftrace slot".into(),
        "may_sleep" | "sleeps" => "it may sleep".into(),
        "no_memory" => "out of memory".into(),
        "stop" | "stopped" => "on request".into(),
        other => other.replace('_', " "),
    }
}
