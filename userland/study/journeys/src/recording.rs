// SPDX-License-Identifier: GPL-2.0

//! What one domain marked of one run.

use std::collections::BTreeMap;

use anyhow::{bail, Result};
use xcap_abi::mark::{Stream, XenTime, SWITCHED};
use xcap_abi::role::Role;
use xcap_abi::stage::Stage;

/// One call of a place's function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Index among the recording's places.
    pub place: usize,
    pub cpu: u16,
    /// None: of no frame in particular, as of a batch.
    pub frame: Option<u64>,
    /// TSC at entry and at return.
    pub entry: u64,
    pub exit: u64,
    /// Another task ran on the CPU meanwhile.
    pub switched: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    pub role: Role,
    pub tsc_khz: u64,
    /// One of so many frames left marks.
    pub sampling: u64,
    /// Stages and functions that somebody added, by name.
    pub places: Vec<String>,
    pub marks: Vec<Mark>,
    /// Marks for which there was no room.
    pub dropped: u64,
    /// Readings of Xen's time.
    pub times: Vec<XenTime>,
}

impl Recording {
    /// Reads a stream as the module's file `marks` has it.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let stream = Stream::parse(bytes)?;
        let Some(role) = Role::parse(stream.role()) else {
            bail!(
                "marks of '{}': this program knows no such role",
                stream.role()
            );
        };
        let mut recording = Self {
            role,
            tsc_khz: stream.header.tsc_khz,
            sampling: stream.header.every.max(1),
            places: stream.places().map(str::to_owned).collect(),
            marks: Vec::new(),
            dropped: 0,
            times: Vec::new(),
        };
        let mut dropped = BTreeMap::new();
        for mark in stream.marks() {
            if let Some(time) = mark.time() {
                recording.times.push(time);
                continue;
            }
            dropped.insert(mark.cpu, u64::from(mark.lost));
            let place = usize::from(mark.place);
            // Else it is no call, but says what was lost.
            if place < recording.places.len() {
                recording.marks.push(Mark {
                    place,
                    cpu: mark.cpu,
                    frame: mark.number(),
                    entry: mark.entry,
                    exit: mark.exit,
                    switched: mark.has(SWITCHED),
                });
            }
        }
        recording.dropped = dropped.values().sum();
        Ok(recording)
    }

    /// The machine's name, as files have it.
    pub fn domain(&self) -> &'static str {
        match self.role {
            Role::Bare => "bare",
            Role::Dom0 => "dom0",
            Role::DomUPv | Role::DomUPvh | Role::DomUHvm => "domU",
        }
    }

    pub fn stage(&self, place: usize) -> Option<Stage> {
        Stage::parse(self.places.get(place)?)
    }
}
