// SPDX-License-Identifier: GPL-2.0

//! The words of abi/ with what they mean, as lists of a page.

use xcap_abi::backend::Backend;
use xcap_abi::figures;
use xcap_abi::reason::Reason;
use xcap_abi::role::Role;
use xcap_abi::stage::Stage;
use xcap_abi::state::State;

use crate::roff;

/// The list that stands for a line `@NAME@` of a written page.
pub fn list(name: &str) -> Option<String> {
    Some(match name {
        "columns" => entries(COLUMNS.iter().map(|(name, about)| (*name, *about))),
        "stages" => entries(Stage::ALL.map(|stage| (stage.word(), stage.about()))),
        "states" => entries(State::ALL.map(|state| (state.word(), state.about()))),
        "reasons" => entries(Reason::ALL.map(|reason| (reason.word(), reason.about()))),
        "backends" => entries(Backend::ALL.map(|backend| (backend.word(), backend.about()))),
        "roles" => entries(Role::ALL.map(|role| (role.word(), role.about()))),
        _ => return None,
    })
}

fn entries<'a>(words: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let entries = words.into_iter();
    entries
        .map(|(word, about)| roff::entry(word, about.trim()))
        .collect()
}

macro_rules! columns {
    ($($group:ident { $(
        $(#[doc = $doc:literal])* $name:ident: $type:ty, $merge:ident, $since:ident,
            $($origin:ident $(($($from:tt)*))?)+;
    )* })*) => {
        /// Names of the columns, and what is said of them where they are declared.
        const COLUMNS: &[(&str, &str)] = &[$($( (stringify!($name), concat!($($doc),*)), )*)*];
    };
}

figures!(columns);
