// SPDX-License-Identifier: GPL-2.0

//! The module's words for a stage's state, as a sentence.

use xcap_abi::reason::Reason;
use xcap_abi::state::State;

use crate::Stage;

/// Why the stage is in its state, or not on the backend asked for; nothing where all is as wished.
///
/// Words of a newer module stand for themselves.
pub fn explain(stage: &Stage) -> Option<String> {
    let why = stage.reason.as_deref().map(because);
    let function = stage.function.as_deref().unwrap_or("its function");
    match (State::parse(&stage.state), why) {
        (Some(State::Armed), why) => why,
        (Some(State::Failed), why) => Some(joined(format!("the probe on {function} failed"), why)),
        // The reason says it all.
        (Some(_), Some(why)) => Some(why),
        (_, why) => Some(joined(stage.state.clone(), why)),
    }
}

fn joined(what: String, why: Option<String>) -> String {
    match why {
        Some(why) => format!("{what}: {why}"),
        None => what,
    }
}

fn because(word: &str) -> String {
    match Reason::parse(word) {
        Some(Reason::Refused) => {
            format!("{} (probes has the error)", Reason::Refused.sentence())
        }
        Some(reason) => reason.sentence().into(),
        None => word.replace('_', " "),
    }
}
