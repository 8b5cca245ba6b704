// SPDX-License-Identifier: GPL-2.0

//! What a finding's claims say together.

use super::claim::{Claim, Outcome};

/// What all claims of a finding say together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Holds,
    DoesNotHold,
    CannotTell,
}

impl Verdict {
    pub fn words(self) -> &'static str {
        match self {
            Self::Holds => "holds here",
            Self::DoesNotHold => "doesn't hold here",
            Self::CannotTell => "can't be told here",
        }
    }
}

/// A finding holds if all its claims do, and doesn't if one is contradicted; and why.
pub fn judge(claims: &[Claim]) -> (Verdict, String) {
    let contradicted: Vec<&Claim> = claims
        .iter()
        .filter(|claim| claim.outcome == Outcome::Contradicted)
        .collect();
    let undecided: Vec<&Claim> = claims
        .iter()
        .filter(|claim| claim.outcome.why_undecided().is_some())
        .collect();
    let all = claims.len();
    let holding = all - contradicted.len() - undecided.len();
    let (verdict, why) = match (contradicted.as_slice(), undecided.as_slice()) {
        ([], []) => (Verdict::Holds, all_hold(claims)),
        ([], undecided) => {
            let reason = undecided
                .iter()
                .find_map(|claim| claim.outcome.why_undecided());
            let reason = reason.unwrap_or_default();
            let named = named(undecided);
            let why = format!("{holding} of {all} claims hold; undecided: {named} ({reason})");
            (Verdict::CannotTell, why)
        }
        (contradicted, _) => {
            let named = named(contradicted);
            let why = format!("{holding} of {all} claims hold; contradicted: {named}");
            (Verdict::DoesNotHold, why)
        }
    };
    (verdict, why + &medians_tell(claims))
}

fn all_hold(claims: &[Claim]) -> String {
    match claims {
        [only] => format!("{}: {}", only.text, only.effect()),
        claims => format!("all {} claims hold", claims.len()),
    }
}

/// The first two of them, and how many more there are.
fn named(claims: &[&Claim]) -> String {
    let more = claims.len().saturating_sub(2);
    let some: Vec<&str> = claims[..claims.len() - more]
        .iter()
        .map(|claim| claim.text.as_str())
        .collect();
    let some = some.join("; ");
    match more {
        0 => some,
        more => format!("{some}; and {more} more"),
    }
}

/// What medians say of the claims that means can't decide.
fn medians_tell(claims: &[Claim]) -> String {
    let open = claims
        .iter()
        .filter(|claim| claim.outcome.why_undecided().is_some());
    let told: Vec<&Outcome> = open.filter_map(|claim| claim.robust.as_ref()).collect();
    let count = |outcome: &Outcome| told.iter().filter(|told| **told == outcome).count();
    let said = match (count(&Outcome::Holds), count(&Outcome::Contradicted)) {
        (0, 0) => return String::new(),
        (hold, 0) => format!("{hold} more hold"),
        (0, against) => format!("{against} more are contradicted"),
        (hold, against) => format!("{hold} more hold, and {against} are contradicted"),
    };
    format!(". By medians and quartiles, which a few interrupted calls don't move, {said}")
}
