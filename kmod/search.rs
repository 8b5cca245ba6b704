// SPDX-License-Identifier: GPL-2.0

//! Which function of this kernel a probe is on.

use super::symbols::{Function, Resolver};
use crate::abi::{reason::Reason, role::Role, stages::Entry};
use kernel::prelude::*;

/// What came of looking for a function.
pub(crate) enum Search {
    Found(Function),
    Absent(Reason),
    /// It is there, and the kernel forbids probes on it.
    Forbidden,
}

/// The function where it is now: its module may have come again, elsewhere.
pub(crate) fn again(function: &Function, resolver: &mut Resolver) -> Result<Search> {
    told(resolver.resolve_again(function))
}

/// The first of the stage's candidates in this role that the kernel has.
pub(crate) fn of_stage(entry: &Entry, role: Role, resolver: &mut Resolver) -> Result<Search> {
    let mut found = Search::Absent(Reason::OtherRole);
    for candidate in entry.candidates {
        if !candidate.found.includes(role) {
            continue;
        }
        match told(resolver.resolve(candidate.function))? {
            Search::Found(function) => return Ok(Search::Found(function)),
            // One that is there and forbidden says more than others that are not there.
            Search::Absent(_) if matches!(found, Search::Forbidden) => {}
            other => found = other,
        }
    }
    Ok(found)
}

fn told(resolved: Result<Function>) -> Result<Search> {
    match resolved {
        Ok(function) => Ok(Search::Found(function)),
        Err(error) if error == ENOMEM => Err(error),
        Err(error) if error == EINVAL => Ok(Search::Forbidden),
        Err(_) => Ok(Search::Absent(Reason::NoSuchFunction)),
    }
}
