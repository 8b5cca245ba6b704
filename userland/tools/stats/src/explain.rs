// SPDX-License-Identifier: GPL-2.0

//! The module's words for a stage's state, as a sentence.

use xcap_abi::format::state;

use crate::stats::Stage;

/// Why the stage is in its state, or not on the backend asked for; nothing where all is as wished.
pub fn explain(stage: &Stage) -> Option<String> {
    let why = stage.reason.as_deref().map(because);
    let function = stage.function.as_deref().unwrap_or("its function");
    let what = match stage.state.as_str() {
        state::ARMED => return why,
        state::STOPPED => return Some("stopped; write start to control to go on".into()),
        state::ABSENT => return Some(why.unwrap_or_else(|| "nothing to time".into())),
        state::BLACKLISTED => return Some(format!("the kernel forbids probes on {function}")),
        state::GONE => {
            return Some(format!(
                "the module with {function} was unloaded; armed again when it comes back"
            ))
        }
        state::DRAINING => return Some(format!("waiting for calls of {function} to return")),
        state::FAILED => format!("the probe on {function} failed"),
        other => other.into(),
    };
    Some(match why {
        Some(why) => format!("{what}: {why}"),
        None => what,
    })
}

fn because(reason: &str) -> String {
    match reason {
        "other_role" => "not part of the capture path in this role".into(),
        "no_such_function" => {
            "no such function now: its driver is not loaded, or it is inlined".into()
        }
        "may_sleep" => "not direct: calls may sleep in it (backend=direct to insist)".into(),
        "direct_taken" => "not direct: another direct call has the function".into(),
        "arguments_on_stack" => "not direct: it takes arguments on the stack".into(),
        "arguments_unknown" => "not direct: its arguments may not be in registers".into(),
        "work_is_argument" => "not direct: its work is one of its arguments".into(),
        "no_slot" => "not direct: all trampolines are in use".into(),
        "refused" => "the kernel refused (probes has the error)".into(),
        other => other.replace('_', " "),
    }
}
