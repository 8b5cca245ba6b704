// SPDX-License-Identifier: GPL-2.0

//! A stage that several functions are: each has a line in `stats`, together they are the stage.

use xcap_abi::stage::Stage as Name;

use crate::stats::{Stage, Stats};

impl Stats {
    /// The same with a line a stage: those of its functions that were called are added up, their
    /// names joined by commas. What backends of different cost took can't be; such lines stay apart.
    ///
    /// For what is read from two of them, subtract first: which were called may change.
    pub(crate) fn joined(&self) -> Self {
        let mut stages: Vec<Stage> = Vec::new();
        let mut rest = &self.stages[..];
        while let Some(first) = rest.first() {
            let same = rest.iter().take_while(|line| line.stage == first.stage);
            let (lines, others) = rest.split_at(same.count());
            rest = others;
            match Name::parse(&first.stage) {
                Some(name) => stages.extend(of_stage(name, lines)),
                None => stages.extend_from_slice(lines),
            }
        }
        Self {
            stages,
            ..self.clone()
        }
    }
}

fn of_stage(name: Name, lines: &[Stage]) -> Vec<Stage> {
    let stands_in = |line: &Stage| {
        let function = line.function.as_deref();
        function.is_some() && function == name.fallback()
    };
    // It calls the others, and what is no card's: it is the stage where nothing else is.
    let stood_for = |line: &Stage| line.function.is_some() && !stands_in(line);
    let is_needed = !lines.iter().any(stood_for);
    let lines = lines.iter().filter(|line| is_needed || !stands_in(line));
    let called = lines
        .clone()
        .filter(|line| line.entries > 0 || line.out_of_scope > 0);
    let mut joined: Vec<Stage> = Vec::new();
    for line in called {
        match joined.iter_mut().find(|one| one.backend == line.backend) {
            Some(one) => add(one, line),
            None => joined.push(line.clone()),
        }
    }
    if joined.is_empty() {
        joined.extend(lines.take(1).cloned());
    }
    joined
}

fn add(one: &mut Stage, more: &Stage) {
    one.merge(more);
    if let (Some(names), Some(name)) = (&mut one.function, &more.function) {
        if !names.split(',').any(|one| one == name) {
            *names = format!("{names},{name}");
        }
    }
}
