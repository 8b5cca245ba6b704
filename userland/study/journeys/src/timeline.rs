// SPDX-License-Identifier: GPL-2.0

//! A frame's time, cut into services and waits.
//!
//! Every tick from the first entry to the last return belongs to one of them. Where several of the
//! frame's calls were under way, it is served by the one that began last: the innermost, if one
//! holds the other. What a call spends on other frames, or on interrupts, is a wait within it.

/// TSC ticks of the recording that all others were brought to; differences of them, too.
pub type Ticks = i128;

/// From the first to the second.
pub type Span = (Ticks, Ticks);

/// A call that a frame was in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    pub place: usize,
    /// Which of its recording's marks it is of.
    pub mark: usize,
    pub cpu: u16,
    pub entry: Ticks,
    pub exit: Ticks,
    /// When the call that handles the frame together with others began: before `entry`, the others
    /// had their turn.
    pub since: Option<Ticks>,
    /// What the call meanwhile did for others.
    pub others: Vec<Span>,
    /// Another task ran meanwhile: how long, nobody knows.
    pub switched: bool,
}

/// What happens to a frame in a part of its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum What {
    /// It is served at this place.
    Service(usize),
    /// It waits for this place.
    Before(usize),
    /// It is at this place, which does something else.
    Within(usize),
}

impl What {
    pub fn place(self) -> usize {
        match self {
            Self::Service(place) | Self::Before(place) | Self::Within(place) => place,
        }
    }

    pub fn is_service(self) -> bool {
        matches!(self, Self::Service(_))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    pub what: What,
    pub from: Ticks,
    pub to: Ticks,
}

impl Segment {
    pub fn length(&self) -> Ticks {
        self.to - self.from
    }
}

/// Cuts the time of a frame with these visits: the segments follow one another without a gap.
pub fn cut(visits: &[Visit]) -> Vec<Segment> {
    let mut edges: Vec<Ticks> = Vec::new();
    for visit in visits {
        edges.extend([visit.entry, visit.exit]);
        edges.extend(visit.since);
        edges.extend(visit.others.iter().flat_map(|&(from, to)| [from, to]));
    }
    let Some((begin, end)) = bounds(visits) else {
        return Vec::new();
    };
    edges.retain(|edge| (begin..=end).contains(edge));
    edges.sort_unstable();
    edges.dedup();
    let mut segments: Vec<Segment> = Vec::new();
    for edge in edges.windows(2) {
        let (from, to) = (edge[0], edge[1]);
        let Some(what) = what(visits, from, to) else {
            continue;
        };
        match segments.last_mut() {
            Some(last) if last.what == what => last.to = to,
            _ => segments.push(Segment { what, from, to }),
        }
    }
    segments
}

/// From where to where a frame's time reaches. It begins with the first visit, or with the batch
/// that this was in.
pub fn bounds(visits: &[Visit]) -> Option<Span> {
    let first = visits
        .iter()
        .min_by_key(|visit| (visit.entry, visit.place))?;
    let begin = first
        .since
        .map_or(first.entry, |since| since.min(first.entry));
    let end = visits.iter().map(|visit| visit.exit).max()?;
    Some((begin, end))
}

/// What happens between two neighbouring edges.
fn what(visits: &[Visit], from: Ticks, to: Ticks) -> Option<What> {
    let holds = |&(begin, end): &Span| begin <= from && to <= end;
    let innermost = visits
        .iter()
        .filter(|visit| holds(&(visit.entry, visit.exit)))
        .max_by_key(|visit| (visit.entry, -visit.exit, visit.place));
    if let Some(visit) = innermost {
        return Some(match visit.others.iter().any(holds) {
            true => What::Within(visit.place),
            false => What::Service(visit.place),
        });
    }
    let next = visits
        .iter()
        .filter(|visit| visit.entry >= to)
        .min_by_key(|visit| (visit.entry, visit.place));
    next.map(|visit| What::Before(visit.place))
}

#[cfg(test)]
mod tests {
    use super::*;
    use What::*;

    fn visit(place: usize, entry: Ticks, exit: Ticks) -> Visit {
        Visit {
            place,
            mark: 0,
            cpu: 0,
            entry,
            exit,
            since: None,
            others: Vec::new(),
            switched: false,
        }
    }

    fn told(visits: &[Visit]) -> Vec<(What, Ticks)> {
        let told = |segment: &Segment| (segment.what, segment.length());
        cut(visits).iter().map(told).collect()
    }

    #[test]
    fn what_is_nested_is_taken_out() {
        let visits = [visit(0, 10, 100), visit(1, 20, 60), visit(2, 130, 140)];
        assert_eq!(
            told(&visits),
            [
                (Service(0), 10),
                (Service(1), 40),
                (Service(0), 40),
                (Before(2), 30),
                (Service(2), 10)
            ]
        );
    }

    #[test]
    fn a_batch_makes_its_frames_wait() {
        let lead = Visit {
            since: Some(0),
            ..visit(0, 70, 80)
        };
        let interrupted = Visit {
            others: vec![(90, 95)],
            ..visit(1, 80, 100)
        };
        assert_eq!(
            told(&[lead, interrupted]),
            [
                (Before(0), 70),
                (Service(0), 10),
                (Service(1), 10),
                (Within(1), 5),
                (Service(1), 5)
            ]
        );
    }

    #[test]
    fn calls_that_overlap_on_two_cpus_are_counted_once() {
        let visits = [visit(0, 0, 50), visit(1, 40, 90)];
        assert_eq!(told(&visits), [(Service(0), 40), (Service(1), 50)]);
    }
}
