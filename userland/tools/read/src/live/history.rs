// SPDX-License-Identifier: GPL-2.0

//! What the last minute brought, stage by stage.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use xcap_stats::{difference, Stage, Stats};

/// How far back it goes.
const MINUTE: Duration = Duration::from_secs(60);

/// Readings of the last minute.
#[derive(Default)]
pub struct History {
    last: Option<(Instant, Stats)>,
    /// By stage: when, and the calls a second since the reading before.
    traces: HashMap<String, VecDeque<(Instant, f64)>>,
    rates: HashMap<String, Rates>,
}

/// What a stage did between the last two readings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// Calls a second.
    pub calls: f64,
    /// Cycles a call.
    pub mean: Option<f64>,
    /// Self time, as a share of one CPU's cycles.
    pub cpu: f64,
    /// Missed calls a second.
    pub missed: f64,
}

/// What is known of a stage.
pub struct Line<'a> {
    pub stage: &'a Stage,
    pub rates: Option<Rates>,
    /// Calls a second in equal parts of the last minute, the latest at the end; none where nothing is known.
    pub trace: Vec<Option<f64>>,
}

impl History {
    /// Takes in a reading.
    pub fn push(&mut self, now: Instant, stats: Stats) {
        self.rates.clear();
        if let Some((then, last)) = &self.last {
            let seconds = now.duration_since(*then).as_secs_f64();
            // What can't be subtracted began anew.
            let between = difference(last, &stats).unwrap_or_else(|_| stats.clone());
            for stage in between.stages.iter().filter(|_| seconds > 0.0) {
                let rates = Rates::of(stage, stats.tsc_khz, seconds);
                let trace = self.traces.entry(stage.stage.clone()).or_default();
                trace.push_back((now, rates.calls));
                while trace
                    .front()
                    .is_some_and(|(when, _)| now.duration_since(*when) > MINUTE)
                {
                    trace.pop_front();
                }
                self.rates.insert(stage.stage.clone(), rates);
            }
        }
        self.last = Some((now, stats));
    }

    /// The latest reading.
    pub fn stats(&self) -> Option<&Stats> {
        self.last.as_ref().map(|(_, stats)| stats)
    }

    /// What is known of a stage of the latest reading, its last minute in so many parts.
    pub fn line<'a>(&self, stage: &'a Stage, parts: usize) -> Line<'a> {
        Line {
            stage,
            rates: self.rates.get(&stage.stage).copied(),
            trace: self.trace(&stage.stage, parts),
        }
    }

    fn trace(&self, stage: &str, parts: usize) -> Vec<Option<f64>> {
        let mut sums = vec![(0.0, 0_u32); parts];
        if let (Some((now, _)), Some(trace)) = (&self.last, self.traces.get(stage)) {
            for (when, calls) in trace {
                let age = now.duration_since(*when).as_secs_f64() / MINUTE.as_secs_f64();
                let part = (age * parts as f64) as usize;
                if let Some((sum, number)) =
                    parts.checked_sub(part + 1).and_then(|at| sums.get_mut(at))
                {
                    *sum += calls;
                    *number += 1;
                }
            }
        }
        let means = sums.into_iter();
        means
            .map(|(sum, number)| (number > 0).then(|| sum / f64::from(number)))
            .collect()
    }
}

impl Rates {
    fn of(stage: &Stage, tsc_khz: u64, seconds: f64) -> Self {
        let cycles = tsc_khz as f64 * 1e3 * seconds;
        Self {
            calls: stage.count as f64 / seconds,
            mean: (stage.count > 0).then(|| stage.sum as f64 / stage.count as f64),
            cpu: if cycles > 0.0 {
                stage.self_sum as f64 / cycles
            } else {
                0.0
            },
            missed: stage.missed as f64 / seconds,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use xcap_stats::load;

    fn reading() -> Stats {
        load("tests/data/dom0.stats".as_ref()).unwrap()
    }

    fn of(stats: &mut Stats, change: impl Fn(&mut Stage)) -> &mut Stats {
        let stage = stats
            .stages
            .iter_mut()
            .find(|stage| stage.stage == "copy")
            .unwrap();
        change(stage);
        stats
    }

    #[test]
    fn rates_are_of_the_time_between_two_readings() {
        let begin = Instant::now();
        let mut history = History::default();
        history.push(begin, reading());
        let mut later = reading();
        of(&mut later, |stage| {
            stage.count += 46;
            stage.sum += 46 * 1000;
            stage.self_sum += 2_600_000_000;
        });
        history.push(begin + Duration::from_secs(2), later.clone());
        let stage = later
            .stages
            .iter()
            .find(|stage| stage.stage == "copy")
            .unwrap();
        let line = history.line(stage, 30);
        let rates = line.rates.unwrap();
        assert_eq!(
            (rates.calls, rates.mean, rates.cpu),
            (23.0, Some(1000.0), 0.5)
        );
        assert_eq!(line.trace[29], Some(23.0));
        assert_eq!(line.trace[..29], [None; 29]);
    }

    #[test]
    fn after_a_reset_all_there_is_came_since() {
        let begin = Instant::now();
        let mut history = History::default();
        history.push(begin, reading());
        let mut reset = reading();
        of(&mut reset, |stage| (stage.count, stage.sum) = (31, 310));
        history.push(begin + Duration::from_secs(1), reset.clone());
        let stage = reset
            .stages
            .iter()
            .find(|stage| stage.stage == "copy")
            .unwrap();
        assert_eq!(history.line(stage, 1).rates.unwrap().calls, 31.0);
    }

    #[test]
    fn a_minute_is_kept_and_no_more() {
        let begin = Instant::now();
        let mut history = History::default();
        for second in 0..200 {
            history.push(begin + Duration::from_secs(second), reading());
        }
        let stats = reading();
        let line = history.line(&stats.stages[0], 30);
        assert!(
            line.trace.iter().all(|part| *part == Some(0.0)),
            "{:?}",
            line.trace
        );
        assert!(history.traces.values().all(|trace| trace.len() <= 61));
    }
}
