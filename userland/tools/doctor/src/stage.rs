// SPDX-License-Identifier: GPL-2.0

//! Which stages are measured, or would be, and why others are not.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;
use xcap_abi::backend::{eligible, Arguments, Backend, Choice, Facts};
use xcap_abi::paths::PROBES;
use xcap_abi::reason::Reason;
use xcap_abi::role::Role;
use xcap_abi::stages::{Entry, Work, STAGES};
use xcap_abi::state::State;

use crate::host::Host;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StageCheck {
    pub stage: String,
    pub function: Option<String>,
    /// `direct(jump)`, as `probes` has it; of what is not loaded, the backend that is to be expected.
    pub backend: Option<String>,
    /// It is hooked, or would be.
    pub armed: bool,
    /// Why it is not, or not on the first backend.
    pub why: Option<String>,
}

impl StageCheck {
    /// How many users of the function its hook is to ftrace, at most: fprobe is one at entry and one at return.
    pub fn ftrace_users(&self) -> u32 {
        let is_fprobe = self.backend.as_deref() == Some(Backend::Fprobe.word());
        1 + u32::from(is_fprobe)
    }
}

/// As the loaded module says.
pub fn told(host: &Host) -> Option<Vec<StageCheck>> {
    let text = host.text(PROBES)?;
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(line).collect()
}

/// A line of `probes`: name function module backend state reason # the reason in words.
fn line(line: &str) -> Option<StageCheck> {
    let (words, why) = match line.split_once(" # ") {
        Some((words, why)) => (words, Some(why.to_owned())),
        None => (line, None),
    };
    let words: Vec<&str> = words.split(' ').collect();
    let &[stage, function, _module, backend, state, ..] = words.as_slice() else {
        return None;
    };
    let some = |word: &str| (word != "-").then(|| word.to_owned());
    Some(StageCheck {
        stage: stage.into(),
        function: some(function),
        backend: some(backend),
        armed: state == State::Armed.word(),
        why,
    })
}

/// The functions that a kernel has: names, and the modules that have them.
type Functions<'a> = HashSet<(&'a str, Option<&'a str>)>;

/// As the module would find them on this kernel, by their names: a stage has each of its functions that is there.
pub fn expected(host: &Host, role: Role) -> Vec<StageCheck> {
    let symbols = host.text("/proc/kallsyms").unwrap_or_default();
    let functions: Functions = symbols
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let kind = words.nth(1)?;
            let name = words.next().filter(|_| kind.eq_ignore_ascii_case("t"))?;
            let module = words.next().map(|word| word.trim_matches(['[', ']']));
            Some([(name, None), (name, module)])
        })
        .flatten()
        .collect();
    let forbidden = host
        .text("/sys/kernel/debug/kprobes/blacklist")
        .unwrap_or_default();
    let forbidden: HashSet<&str> = forbidden
        .lines()
        .filter_map(|line| line.split_whitespace().nth(1))
        .collect();
    STAGES
        .iter()
        .flat_map(|entry| expect(entry, role, &functions, &forbidden))
        .collect()
}

fn expect(
    entry: &Entry,
    role: Role,
    functions: &Functions,
    forbidden: &HashSet<&str>,
) -> Vec<StageCheck> {
    let candidates = entry
        .candidates
        .iter()
        .filter(|candidate| candidate.found.includes(role));
    let mut reason = Reason::OtherRole;
    let mut found = Vec::new();
    for candidate in candidates {
        let names = candidate.functions.iter();
        // Perhaps with the module before it.
        let names = names.filter_map(|function| {
            let word = function.to_str().ok()?;
            Some(match word.split_once(':') {
                Some((module, name)) => (name, Some(module)),
                None => (word, None),
            })
        });
        let there: Vec<_> = names.filter(|name| functions.contains(name)).collect();
        match there.iter().find(|(name, _)| !forbidden.contains(name)) {
            Some((name, _)) => found.push(foretold(entry, name)),
            None if !there.is_empty() => reason = Reason::NotProbeable,
            None if reason == Reason::OtherRole => reason = Reason::NoSuchFunction,
            None => {}
        }
    }
    if found.is_empty() {
        found.push(StageCheck {
            stage: entry.stage.word().to_owned(),
            function: None,
            backend: None,
            armed: false,
            why: Some(reason.sentence().into()),
        });
    }
    found
}

/// How the function would be hooked.
fn foretold(entry: &Entry, function: &str) -> StageCheck {
    let facts = Facts {
        may_sleep: entry.sleeps,
        may_not_return: false,
        work_is_argument: matches!(entry.work, Work::Argument(_)),
        arguments: Arguments::InRegisters,
    };
    let mut why = None;
    let backend =
        Choice::Auto
            .backends()
            .find(|&backend| match eligible(backend, Choice::Auto, &facts) {
                Ok(()) => true,
                Err(reason) => {
                    why.get_or_insert(reason.sentence().to_owned());
                    false
                }
            });
    StageCheck {
        stage: entry.stage.word().to_owned(),
        function: Some(function.to_owned()),
        backend: backend.map(Backend::word).map(str::to_owned),
        armed: true,
        why,
    }
}

/// Stages of which the same is so, in order: those with a backend first.
pub fn grouped(stages: &[StageCheck]) -> Vec<(&StageCheck, Vec<&str>)> {
    let mut groups: BTreeMap<_, (&StageCheck, Vec<&str>)> = BTreeMap::new();
    for stage in stages {
        let key = (
            !stage.armed,
            stage.why.is_some(),
            &stage.backend,
            &stage.why,
        );
        let (_, names) = groups.entry(key).or_insert((stage, Vec::new()));
        // A stage's functions follow one another.
        if names.last() != Some(&&*stage.stage) {
            names.push(&stage.stage);
        }
    }
    groups.into_values().collect()
}
