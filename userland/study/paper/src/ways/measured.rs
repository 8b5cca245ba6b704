// SPDX-License-Identifier: GPL-2.0

//! What was measured of a way, at all rates.

use xcap_frames::Way;
use xcap_study::run::ways::{Row, Ways};
use xcap_study::run_id::{Domain, Environment};

/// The rate that ways are compared at: frames meet in batches, and most ways lose none.
pub const COMPARED: f64 = 20e3;

/// A way in one place, with frames of one size: its rows, one a load.
pub struct Measured<'a> {
    environment: Environment,
    domain: Domain,
    pub size: u16,
    pub way: Way,
    pub rows: Vec<&'a Row>,
}

pub fn measured(ways: &Ways) -> Vec<Measured<'_>> {
    let mut all: Vec<Measured> = Vec::new();
    for row in &ways.rows {
        let same = |one: &&mut Measured| {
            (one.environment, one.domain, one.size, one.way)
                == (row.environment, row.domain, row.size, row.way)
        };
        match all.iter_mut().find(same) {
            Some(one) => one.rows.push(row),
            None => all.push(Measured {
                environment: row.environment,
                domain: row.domain,
                size: row.size,
                way: row.way,
                rows: vec![row],
            }),
        }
    }
    all.sort_by_key(|one| (one.environment, one.domain, one.size));
    all
}

impl Measured<'_> {
    pub fn place(&self) -> String {
        match self.domain {
            Domain::Bare => "bare".into(),
            domain => format!("{} {domain}", self.environment.label()),
        }
    }

    pub fn name(&self) -> String {
        let hook = self.rows.iter().find_map(|row| row.xdp);
        let hook = hook.map(|hook| format!(" ({hook:?})").to_lowercase());
        format!("{}{}", self.way.word(), hook.unwrap_or_default())
    }

    pub fn reason(&self) -> Option<&str> {
        self.rows.iter().find_map(|row| row.reason.as_deref())
    }

    /// Frames one by one.
    pub fn alone(&self) -> Option<&Row> {
        let rows = self.rows.iter().copied();
        rows.min_by(|one, other| one.offered_per_second.total_cmp(&other.offered_per_second))
    }

    /// Frames that meet in batches.
    pub fn compared(&self) -> Option<&Row> {
        let near = |row: &&Row| (row.offered_per_second / COMPARED - 1.0).abs() < 0.01;
        self.rows.iter().copied().find(near)
    }

    /// As fast as the wire carries them.
    pub fn fastest(&self) -> Option<&Row> {
        let rows = self.rows.iter().copied();
        rows.max_by(|one, other| one.offered_per_second.total_cmp(&other.offered_per_second))
    }

    /// The greatest rate below which none was offered with a loss.
    pub fn lossless(&self) -> Option<f64> {
        let mut rows = self.rows.clone();
        rows.sort_by(|one, other| one.offered_per_second.total_cmp(&other.offered_per_second));
        let passed = rows.into_iter().take_while(|row| row.is_lossless());
        passed.last().map(|row| row.offered_per_second)
    }

    pub fn cost(&self) -> Option<f64> {
        let row = self.compared()?;
        Some(row.kernel_per_frame? + row.program_per_frame?)
    }
}
