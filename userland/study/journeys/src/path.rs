// SPDX-License-Identifier: GPL-2.0

//! The places of a journey, in the order in which a frame comes to them.

use std::fmt;

use xcap_abi::stage::Stage;

use crate::recording::Recording;

/// A place in a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// `dom0`, `domU` or `bare`.
    pub domain: &'static str,
    /// Which recording it is in, and which of its places it is.
    pub recording: usize,
    pub index: usize,
    pub name: String,
    /// None: somebody added it.
    pub stage: Option<Stage>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} in {}", self.name, self.domain)
    }
}

impl Place {
    fn rank(&self) -> (usize, Option<(bool, Stage)>, usize) {
        // What takes a guest's frames hands them to the bridge, where others come to it as well.
        let order = |stage| (stage != Stage::TxNetback, stage);
        (self.recording, self.stage.map(order), self.index)
    }

    /// Whether its call can begin before there is a frame for it.
    pub fn awaits_frames(&self) -> bool {
        self.stage == Some(Stage::Recvmsg)
    }
}

/// All places of all recordings; a place's number is its index here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    all: Vec<Place>,
    /// By recording and index there.
    numbers: Vec<Vec<usize>>,
}

impl Places {
    pub fn of(recordings: &[Recording]) -> Self {
        let mut all = Vec::new();
        for (number, recording) in recordings.iter().enumerate() {
            for (index, name) in recording.places.iter().enumerate() {
                all.push(Place {
                    domain: recording.domain(),
                    recording: number,
                    index,
                    name: name.clone(),
                    stage: recording.stage(index),
                });
            }
        }
        // What was added has no stage and comes first: nobody knows where it belongs.
        all.sort_by_key(Place::rank);
        let mut numbers: Vec<Vec<usize>> = recordings
            .iter()
            .map(|recording| vec![0; recording.places.len()])
            .collect();
        for (number, place) in all.iter().enumerate() {
            numbers[place.recording][place.index] = number;
        }
        Self { all, numbers }
    }

    /// The number of a recording's place; none: it has no such place.
    pub fn number(&self, recording: usize, index: usize) -> Option<usize> {
        self.numbers.get(recording)?.get(index).copied()
    }

    pub fn get(&self, number: usize) -> &Place {
        &self.all[number]
    }

    pub fn iter(&self) -> impl Iterator<Item = (usize, &Place)> {
        self.all.iter().enumerate()
    }

    pub fn len(&self) -> usize {
        self.all.len()
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}
