// SPDX-License-Identifier: GPL-2.0

//! Marks as text, and as JSON.

use std::fmt::Write;

use serde_json::json;
use xcap_abi::mark::{Mark, Stream, COUNT, SWITCHED};

/// Text that a string takes in can't fail.
const WRITTEN: &str = "a string takes any text";

/// A line a mark, in columns.
pub fn text(stream: &Stream<'_>) -> String {
    let header = &stream.header;
    let mut text = format!(
        "# xcap marks {}\n# role {}\n# tsc_khz {}\n# every {}\n# ring {}\n\
         # columns place frame entry cycles cpu count switched lost\n",
        header.version,
        stream.role(),
        header.tsc_khz,
        header.every,
        header.ring
    );
    for mark in stream.marks() {
        line(&mut text, stream, &mark).expect(WRITTEN);
    }
    text
}

fn line(text: &mut String, stream: &Stream<'_>, mark: &Mark) -> std::fmt::Result {
    let Some(place) = stream.place(mark.place) else {
        return match mark.time() {
            Some(time) => writeln!(
                text,
                "# xen_time {} between {} and {}",
                time.nanoseconds, time.after, time.before
            ),
            None => writeln!(text, "# lost {} on {}", mark.lost, mark.cpu),
        };
    };
    write!(text, "{place} ")?;
    match mark.number() {
        Some(number) => write!(text, "{number}")?,
        None => write!(text, "-")?,
    }
    write!(
        text,
        " {} {} {} ",
        mark.entry,
        mark.exit.wrapping_sub(mark.entry),
        mark.cpu
    )?;
    if mark.has(COUNT) {
        write!(text, "{}", mark.count)?;
    } else {
        write!(text, "-")?;
    }
    writeln!(text, " {} {}", u8::from(mark.has(SWITCHED)), mark.lost)
}

/// An object a line: the header, then each mark.
pub fn json(stream: &Stream<'_>) -> String {
    let header = &stream.header;
    let head = json!({
        "version": header.version,
        "role": stream.role(),
        "tsc_khz": header.tsc_khz,
        "every": header.every,
        "cpus": header.cpus,
        "ring": header.ring,
        "places": stream.places().collect::<Vec<_>>(),
    });
    let mut text = format!("{head}\n");
    for mark in stream.marks() {
        let object = match (stream.place(mark.place), mark.time()) {
            (Some(place), _) => json!({
                "place": place,
                "frame": mark.number(),
                "entry": mark.entry,
                "exit": mark.exit,
                "cpu": mark.cpu,
                "count": mark.has(COUNT).then_some(mark.count),
                "switched": mark.has(SWITCHED),
                "lost": mark.lost,
            }),
            (None, Some(time)) => json!({
                "xen_time": time.nanoseconds,
                "after": time.after,
                "before": time.before,
            }),
            (None, None) => json!({ "cpu": mark.cpu, "lost": mark.lost }),
        };
        writeln!(text, "{object}").expect(WRITTEN);
    }
    text
}
