// SPDX-License-Identifier: GPL-2.0

//! A run's journeys in a few sentences.

use crate::clock::Source;
use crate::summary::Summary;
use crate::timeline::Ticks;
use crate::unit::Unit;

/// Where most waiting is: what is waited for, in words, and its share of all waiting.
fn most_waiting(summary: &Summary) -> Option<(String, f64)> {
    let waits = summary.places.iter().flat_map(|place| {
        let told = |word, wait: &Option<crate::distribution::Distribution>| {
            let sum = wait.as_ref().map_or(0, |wait| wait.sum);
            (sum, format!("{word} {} in {}", place.place, place.domain))
        };
        [
            told("before", &place.wait_before),
            told("within", &place.wait_within),
        ]
    });
    let (most, where_) = waits.max_by_key(|(sum, _)| *sum)?;
    (most > 0).then(|| (where_, most as f64 / summary.wait_ticks as f64))
}

/// "a frame took …": the median frame, and where all wait most.
pub fn line(summary: &Summary) -> String {
    line_of(summary, "captured")
}

/// The same of frames that were `done` at the end.
pub fn line_of(summary: &Summary, done: &str) -> String {
    let Some(median) = &summary.median else {
        return format!("no frame has a whole journey ({} {done})", summary.captured);
    };
    let mut line = format!(
        "a frame took {} (median): {} served, {} waiting",
        time(summary, median.total_ticks),
        alike(summary, median.service_ticks),
        alike(summary, median.wait_ticks)
    );
    if let Some((place, share)) = most_waiting(summary) {
        // Most is said of what is more than half.
        let most = match share > 0.5 {
            true => "most",
            false => "the greatest part",
        };
        line += &format!(", {most} of it ({:.0} %) {place}", share * 100.0);
    }
    line + &format!(
        "; {} of {} {done} have a whole journey",
        summary.complete, summary.captured
    )
}

/// A time, with what it is counted in.
fn time(summary: &Summary, ticks: Ticks) -> String {
    match summary.unit {
        Unit::Instructions => format!("{} instructions", short(ticks)),
        Unit::Cycles => microseconds(summary.microseconds(ticks)),
    }
}

/// The same beside one that says it.
fn alike(summary: &Summary, ticks: Ticks) -> String {
    match summary.unit {
        Unit::Instructions => short(ticks),
        Unit::Cycles => time(summary, ticks),
    }
}

/// Three digits that matter.
fn microseconds(micros: f64) -> String {
    match micros {
        m if m < 9.995 => format!("{m:.2} µs"),
        m if m < 99.95 => format!("{m:.1} µs"),
        m if m < 9_999.5 => format!("{m:.0} µs"),
        m => format!("{:.1} ms", m / 1e3),
    }
}

/// The same, thousands and millions by letter.
fn short(ticks: Ticks) -> String {
    let (scaled, letter) = match ticks {
        ..10_000 => return ticks.to_string(),
        10_000..999_500 => (ticks as f64 / 1e3, "k"),
        999_500..999_500_000 => (ticks as f64 / 1e6, "M"),
        _ => (ticks as f64 / 1e9, "G"),
    };
    let digits = match scaled {
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    format!("{scaled:.digits$} {letter}")
}

/// What the domains' times are to each other, and what that allows to be told.
pub fn clock(summary: &Summary) -> Option<String> {
    let clock = &summary.clock;
    let mut told = match clock.source {
        Source::OneDomain => return None,
        Source::SameClock => "the domU reads dom0's TSC".to_owned(),
        Source::XenTime => format!(
            "the domU's TSC is {} ahead of dom0's, give or take {}",
            signed(summary, clock.offset_ticks),
            signed(summary, clock.uncertainty().unwrap_or(0))
        ),
        Source::Frames => format!(
            "the domU's TSC is {} ahead of dom0's at most, as the fastest frame shows",
            signed(summary, clock.offset_ticks)
        ),
        Source::Unknown => {
            "nothing tells how far the domU's TSC is ahead of dom0's: taken to be 0".to_owned()
        }
    };
    for (who, bounds) in [("Xen's time", clock.by_xen), ("frames", clock.by_frames)] {
        told += &match (bounds.at_least_ticks, bounds.at_most_ticks) {
            (Some(least), Some(most)) => format!(
                "; {who}: from {} to {}",
                signed(summary, least),
                signed(summary, most)
            ),
            (None, Some(most)) => format!("; {who}: {} at most", signed(summary, most)),
            (Some(least), None) => format!("; {who}: {} at least", signed(summary, least)),
            (None, None) => continue,
        };
    }
    if !clock.is_possible() {
        told += ": a contradiction, so what is between the domains can't be told";
    } else if let Some(crossing) = crossing(summary) {
        if clock.uncertainty().is_none_or(|off| off > crossing) {
            told += &format!(
                ": that is more than the {} between the domains, which can't be told",
                signed(summary, crossing)
            );
        }
    }
    Some(told)
}

fn signed(summary: &Summary, ticks: Ticks) -> String {
    let sign = if ticks < 0 { "−" } else { "" };
    format!("{sign}{}", time(summary, ticks.abs()))
}

/// The median wait between the domains: that before the second's first place.
fn crossing(summary: &Summary) -> Option<Ticks> {
    let first = summary.places.first()?.domain;
    let second = summary.places.iter().find(|place| place.domain != first)?;
    Some(second.wait_before.as_ref()?.p50)
}

fn at(place: &Option<String>, domain: Option<&str>) -> String {
    match (place, domain) {
        (Some(place), Some(domain)) => format!(" ({place} in {domain})"),
        _ => String::new(),
    }
}

/// Whether the kernel counted as many frames at the capturing socket as the marks say; none: nobody looked.
pub fn socket(summary: &Summary) -> Option<String> {
    let socket = summary.socket.as_ref()?;
    let agrees = match socket.looks - socket.agreeing {
        0 => "as many as marks say".to_owned(),
        others => format!("{others} times not as many as marks say"),
    };
    Some(format!(
        "what the socket held, counted by the kernel {} times: {:.1} frames (mean), {} at most; {agrees}",
        socket.looks, socket.mean_length, socket.longest
    ))
}

/// Where frames that were not captured were seen last, a sentence each.
pub fn losses(summary: &Summary) -> Vec<String> {
    let told = summary.lost.iter().map(|lost| match &lost.place {
        Some(_) => format!(
            "{} lost, seen last{}",
            lost.frames,
            at(&lost.place, lost.domain)
        ),
        None => format!("{} lost before they left a mark", lost.frames),
    });
    told.collect()
}

/// What keeps the figures from being of all captured frames, a sentence each.
pub fn faults(summary: &Summary) -> Vec<String> {
    let mut told = Vec::new();
    for one in &summary.incomplete {
        let why = match one.reason {
            "missing" => "left no mark where all others did",
            "repeated" => "had a number that came more than once",
            "out_of_order" => "were somewhere before they were where frames come before",
            "impossible" => "returned before they were called",
            "never_sent" => "had a number that nobody sent",
            _ => "were captured and left no mark there",
        };
        told.push(format!(
            "{} {why}{}",
            one.frames,
            at(&one.place, one.domain)
        ));
    }
    for (domain, dropped) in &summary.dropped_marks {
        if *dropped > 0 {
            told.push(format!(
                "{dropped} marks of {domain} were dropped for want of room: `marks on` with a greater size"
            ));
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_matter() {
        for (ticks, text) in [
            (0, "0"),
            (9_999, "9999"),
            (10_000, "10.0 k"),
            (123_456, "123 k"),
            (999_500, "1.00 M"),
            (4_047_213, "4.05 M"),
            (1_500_000_000, "1.50 G"),
        ] {
            assert_eq!(short(ticks), text);
        }
        for (micros, text) in [(0.5, "0.50 µs"), (99.96, "100 µs"), (1e4, "10.0 ms")] {
            assert_eq!(microseconds(micros), text);
        }
    }
}
