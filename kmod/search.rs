// SPDX-License-Identifier: GPL-2.0

//! Which function of this kernel a probe is on.

use super::{
    stages::Entry,
    symbols::{Function, Resolver},
};
use crate::abi::{reason::Reason, role::Role};
use kernel::{prelude::*, str::CStr};

/// What came of looking for a function.
pub(crate) enum Search {
    Found(Function),
    Absent(Reason),
    /// It is there, and the kernel forbids probes on it.
    Forbidden,
}

/// The first of the stage's candidates in this role that the kernel has.
pub(crate) fn of_stage(entry: &Entry, role: Role, resolver: &mut Resolver) -> Result<Search> {
    let mut found = Search::Absent(Reason::OtherRole);
    for candidate in entry.candidates {
        if !candidate.found.includes(role) {
            continue;
        }
        match by_name(candidate.function, resolver)? {
            Search::Found(function) => return Ok(Search::Found(function)),
            // One that is there and forbidden says more than others that are not there.
            Search::Absent(_) if matches!(found, Search::Forbidden) => {}
            other => found = other,
        }
    }
    Ok(found)
}

/// The function `name`, which may have come in another module, elsewhere.
pub(crate) fn by_name(name: &CStr, resolver: &mut Resolver) -> Result<Search> {
    match resolver.resolve(name) {
        Ok(function) => Ok(Search::Found(function)),
        Err(error) if error == ENOMEM => Err(error),
        Err(error) if error == EINVAL => Ok(Search::Forbidden),
        Err(_) => Ok(Search::Absent(Reason::NoSuchFunction)),
    }
}
