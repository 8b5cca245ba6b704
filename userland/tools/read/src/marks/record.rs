// SPDX-License-Identifier: GPL-2.0

//! Marks go from the kernel into a file.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use xcap_abi::mark::{Mark, Stream, NO_PLACE};
use xcap_abi::paths::MARKS;

use super::unreadable::unreadable;

/// How long marks may wait: a ring holds those of many times as long.
const PAUSE: Duration = Duration::from_millis(5);

/// What one read takes at most.
const BLOCK: usize = 64 << 10;

/// What is on standard error when marks are being recorded, and no sooner.
const READY: &str = "recording marks";

/// All that waits to be read.
pub fn waiting() -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(MARKS)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Records until a signal comes, or `seconds` are over; and then what is left.
pub fn record(output: &Path, seconds: Option<f64>) -> Result<(), Box<dyn Error>> {
    let mut marks = File::open(MARKS).map_err(|error| unreadable(MARKS, &error))?;
    let name = output.display();
    let mut file = File::create(output).map_err(|e| format!("cannot create '{name}': {e}"))?;
    let stopped = Arc::new(AtomicBool::new(false));
    let stop = Arc::clone(&stopped);
    ctrlc::set_handler(move || stop.store(true, Ordering::Relaxed))?;
    let end = seconds.map(|seconds| Instant::now() + Duration::from_secs_f64(seconds));
    eprintln!("{READY} into '{name}'");

    let mut block = vec![0; BLOCK];
    let mut tally: Option<Tally> = None;
    loop {
        // Asked before reading, so that what came until then is read.
        let ends = stopped.load(Ordering::Relaxed) || end.is_some_and(|end| Instant::now() >= end);
        loop {
            let read = marks
                .read(&mut block)
                .map_err(|error| unreadable(MARKS, &error))?;
            let read = &block[..read];
            if read.is_empty() {
                break;
            }
            file.write_all(read)
                .map_err(|e| format!("cannot write '{name}': {e}"))?;
            match &mut tally {
                // The first read gives the whole header.
                None => tally = Some(Tally::begin(&Stream::parse(read)?)),
                Some(tally) => tally.add(read),
            }
        }
        if ends {
            break;
        }
        sleep(PAUSE);
    }
    if let Some(tally) = tally {
        eprintln!("{tally} in '{name}'");
    }
    Ok(())
}

/// What was recorded.
struct Tally {
    places: usize,
    mark_size: usize,
    marks: u64,
    /// By CPU.
    lost: BTreeMap<u16, u32>,
}

impl Tally {
    fn begin(stream: &Stream<'_>) -> Self {
        Self {
            places: stream.places().len(),
            mark_size: stream.header.mark_size as usize,
            marks: 0,
            lost: BTreeMap::new(),
        }
    }

    /// Takes in what a read gave: whole marks.
    fn add(&mut self, bytes: &[u8]) {
        for mark in bytes
            .chunks_exact(self.mark_size)
            .filter_map(Mark::of_bytes)
        {
            self.marks += u64::from(mark.place != NO_PLACE);
            if mark.time().is_none() {
                self.lost.insert(mark.cpu, mark.lost);
            }
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lost: u64 = self.lost.values().map(|&lost| u64::from(lost)).sum();
        write!(
            f,
            "{} marks of {} places, {lost} lost for want of room",
            self.marks, self.places
        )
    }
}
