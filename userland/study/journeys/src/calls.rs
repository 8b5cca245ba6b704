// SPDX-License-Identifier: GPL-2.0

//! Which call held which, on each CPU of a recording.

use crate::recording::Recording;

/// What is known of a mark beyond itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Held {
    /// The call that it was made in.
    pub by: Option<usize>,
    /// Calls that were made in it, none of them in another of these.
    pub calls: Vec<usize>,
    /// When the call before it returned that the same call made, if there is one.
    pub after: Option<u64>,
}

/// For each mark of `recording`, what held it and what it held. Marks whose ends are in the wrong
/// order hold nothing, and nothing holds them.
pub fn held(recording: &Recording) -> Vec<Held> {
    let marks = &recording.marks;
    let mut held = vec![Held::default(); marks.len()];
    let mut order: Vec<usize> = (0..marks.len())
        .filter(|&at| marks[at].entry <= marks[at].exit)
        .collect();
    order.sort_by_key(|&at| {
        let mark = &marks[at];
        (mark.cpu, mark.entry, u64::MAX - mark.exit)
    });
    let mut open: Vec<usize> = Vec::new();
    let mut last_returned: Vec<Option<u64>> = vec![None; marks.len()];
    for at in order {
        let mark = &marks[at];
        while let Some(&top) = open.last() {
            let outer = &marks[top];
            if outer.cpu == mark.cpu && outer.exit > mark.entry {
                break;
            }
            open.pop();
        }
        // A call that began on another CPU may begin within one here that ends before it: that goes on holding its own.
        let within = open.partition_point(|&outer| marks[outer].exit >= mark.exit);
        if let Some(&outer) = open[..within].last() {
            held[at].by = Some(outer);
            held[at].after = last_returned[outer];
            held[outer].calls.push(at);
            last_returned[outer] = Some(mark.exit);
        }
        open.insert(within, at);
    }
    held
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::Mark;
    use xcap_abi::role::Role;

    /// Most of it on another CPU, which it left to return here.
    #[test]
    fn a_call_that_came_from_another_cpu_takes_none_from_those_here() {
        let mark = |entry, exit| Mark {
            place: 0,
            cpu: 0,
            frame: None,
            entry,
            exit,
            switched: false,
        };
        let marks = vec![
            mark(10, 60),
            mark(20, 55),
            // That call, and what it did here.
            mark(30, 100),
            mark(80, 90),
            mark(40, 50),
            mark(57, 59),
        ];
        let recording = Recording {
            role: Role::Bare,
            tsc_khz: 1,
            sampling: 1,
            places: vec!["a".into()],
            marks,
            dropped: 0,
            times: Vec::new(),
        };
        let held = held(&recording);
        let by: Vec<_> = held.iter().map(|held| held.by).collect();
        assert_eq!(by, [None, Some(0), None, Some(2), Some(1), Some(0)]);
    }

    #[test]
    fn calls_are_held_by_the_innermost_around_them() {
        let mark = |cpu, entry, exit| Mark {
            place: 0,
            cpu,
            frame: None,
            entry,
            exit,
            switched: false,
        };
        let recording = Recording {
            role: Role::Bare,
            tsc_khz: 1,
            sampling: 1,
            places: vec!["a".into()],
            // In the order of their returns, as rings have them; one is of another CPU.
            marks: vec![
                mark(0, 20, 30),
                mark(0, 40, 50),
                mark(0, 10, 60),
                mark(1, 20, 30),
                mark(0, 70, 60),
                mark(0, 60, 80),
            ],
            dropped: 0,
            times: Vec::new(),
        };
        let held = held(&recording);
        let by: Vec<_> = held.iter().map(|held| held.by).collect();
        assert_eq!(by, [Some(2), Some(2), None, None, None, None]);
        assert_eq!(held[2].calls, [0, 1]);
        assert_eq!((held[0].after, held[1].after), (None, Some(30)));
    }
}
