// SPDX-License-Identifier: GPL-2.0

//! Which calls of a CPU are drawn beside which: in a lane, calls hold one another or are apart.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::recording::Recording;

/// Lanes of a recording's marks. A call during which no other task ran is in its CPU's first, but for what no CPU does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lanes {
    /// By mark; none: it returned before it began.
    of: Vec<Option<usize>>,
    /// Marks with a lane, each before those that it holds.
    order: Vec<usize>,
    /// How many a CPU has.
    count: BTreeMap<u16, usize>,
}

impl Lanes {
    pub fn of(recording: &Recording) -> Self {
        let marks = &recording.marks;
        let mut order: Vec<usize> = (0..marks.len())
            .filter(|&at| marks[at].entry <= marks[at].exit)
            .collect();
        order.sort_by_key(|&at| (marks[at].entry, Reverse(marks[at].exit), marks[at].cpu));
        // When the calls return that are under way, the innermost last.
        let mut open: BTreeMap<u16, Vec<Vec<u64>>> = BTreeMap::new();
        let mut of = vec![None; marks.len()];
        for &at in &order {
            let mark = &marks[at];
            let lanes = open.entry(mark.cpu).or_default();
            let mut lane = usize::from(mark.switched);
            loop {
                if lanes.len() <= lane {
                    lanes.resize(lane + 1, Vec::new());
                }
                let returns = &mut lanes[lane];
                while returns.last().is_some_and(|&end| end <= mark.entry) {
                    returns.pop();
                }
                if returns.last().is_none_or(|&end| mark.exit <= end) {
                    returns.push(mark.exit);
                    break;
                }
                lane += 1;
            }
            of[at] = Some(lane);
        }
        let count = open.into_iter().map(|(cpu, lanes)| (cpu, lanes.len()));
        Self {
            of,
            order,
            count: count.collect(),
        }
    }

    /// Each CPU's.
    pub fn all(&self) -> impl Iterator<Item = (u16, usize)> + '_ {
        let count = self.count.iter();
        count.flat_map(|(&cpu, &count)| (0..count).map(move |lane| (cpu, lane)))
    }

    /// Marks that are drawn, with their lanes, each before those that it holds.
    pub fn drawn(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let order = self.order.iter();
        order.filter_map(|&at| Some((at, self.of[at]?)))
    }

    /// The lane of a mark; the first, where it has none.
    pub fn of_mark(&self, at: usize) -> usize {
        self.of.get(at).copied().flatten().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::Mark;
    use xcap_abi::role::Role;

    #[test]
    fn a_call_that_slept_is_beside_what_ran_meanwhile() {
        let mark = |entry, exit, switched| Mark {
            place: 0,
            cpu: 0,
            frame: None,
            entry,
            exit,
            switched,
        };
        let recording = Recording {
            role: Role::Bare,
            tsc_khz: 1,
            sampling: 1,
            places: vec!["a".into()],
            marks: vec![
                mark(20, 30, false),
                // It holds the first.
                mark(20, 50, false),
                // It sleeps until another is half done.
                mark(0, 40, true),
                mark(10, 60, true),
                mark(60, 70, true),
                mark(9, 8, false),
            ],
            dropped: 0,
            times: Vec::new(),
        };
        let lanes = Lanes::of(&recording);
        let of: Vec<_> = (0..6).map(|at| lanes.of_mark(at)).collect();
        assert_eq!(of, [0, 0, 1, 2, 1, 0]);
        let drawn: Vec<_> = lanes.drawn().map(|(at, _)| at).collect();
        assert_eq!(drawn, [2, 3, 1, 0, 4]);
        assert_eq!(lanes.all().collect::<Vec<_>>(), [(0, 0), (0, 1), (0, 2)]);
    }
}
