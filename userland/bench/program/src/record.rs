// SPDX-License-Identifier: GPL-2.0

//! The instruction counts on record: `userland/bench/program/instruction-counts.json`.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use xcap_machines::files;

pub const FILE: &str = "userland/bench/program/instruction-counts.json";

/// How much more than on record a hit may cost.
const MARGIN: f64 = 1.02;

/// How much more than the same measurement by a C module, which keeps no more than sums.
const REFERENCE_MARGIN: f64 = 0.10;

/// Kernel release → probe → instructions of a hit beyond the unprobed call.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Record(pub BTreeMap<String, BTreeMap<String, f64>>);

impl Record {
    pub fn load(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path)
            .with_context(|| format!("cannot read '{}'", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("'{}' is no record", path.display()))
    }

    pub fn save(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        files::replace(path, text)
    }

    /// One sentence for each that costs more than it may.
    ///
    /// A kernel that is not on record is held to another's counts only for what has no code of the
    /// kernel in it: `ours_alone`.
    pub fn exceeded(
        &self,
        kernel: &str,
        measured: &BTreeMap<String, f64>,
        ours_alone: &[&str],
    ) -> Vec<String> {
        let own = self.0.get_key_value(kernel);
        let Some((whose, counts)) = own.or_else(|| self.0.last_key_value()) else {
            return vec!["the record is empty".to_owned()];
        };
        let held = measured
            .iter()
            .filter(|(probe, _)| own.is_some() || ours_alone.contains(&probe.as_str()));
        let sentence = |(probe, count): (&String, &f64)| {
            match counts.get(probe) {
            None => Some(format!(
                "{probe}: {count:.1} instructions a hit, and not on record"
            )),
            Some(record) if *count > record * MARGIN => Some(format!(
                "{probe}: {count:.1} instructions a hit, {:.1} % more than the {record:.1} on record for {whose}",
                (count / record - 1.0) * 100.0
            )),
            Some(_) => None,
        }
        };
        held.filter_map(sentence).collect()
    }
}

/// A sentence if `ours` costs more than a tenth more than `reference`, a hit beyond the unprobed call.
pub fn exceeds_reference(ours: (&str, f64), reference: (&str, f64)) -> Option<String> {
    let more = ours.1 / reference.1 - 1.0;
    (more > REFERENCE_MARGIN).then(|| {
        format!(
            "{}: {:.1} instructions a hit, {:.1} % more than the {:.1} of {}",
            ours.0,
            ours.1,
            more * 100.0,
            reference.1,
            reference.0
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(direct: f64) -> BTreeMap<String, f64> {
        BTreeMap::from([("xcap direct".to_owned(), direct)])
    }

    #[test]
    fn two_per_cent_more_is_allowed_and_no_more() {
        let record = Record(BTreeMap::from([("7.3".to_owned(), counts(50.0))]));
        assert!(record.exceeded("7.3", &counts(51.0), &[]).is_empty());
        let said = record.exceeded("7.3", &counts(51.1), &[]);
        assert_eq!(said.len(), 1);
        assert!(
            said[0].contains("xcap direct") && said[0].contains("51.1") && said[0].contains("50.0"),
            "{said:?}"
        );
    }

    #[test]
    fn a_kernel_that_is_not_on_record_is_held_to_another_in_what_is_ours_alone() {
        let record = Record(BTreeMap::from([("7.3".to_owned(), counts(50.0))]));
        let exceeded = |count, ours: &[&str]| record.exceeded("7.4", &counts(count), ours).len();
        assert_eq!(exceeded(60.0, &["xcap direct"]), 1);
        assert_eq!(exceeded(50.0, &["xcap direct"]), 0);
        assert_eq!(exceeded(60.0, &[]), 0);
    }

    #[test]
    fn a_tenth_more_than_the_reference_is_allowed_and_no_more() {
        assert_eq!(exceeds_reference(("ours", 109.9), ("C", 100.0)), None);
        let said = exceeds_reference(("ours", 111.0), ("C", 100.0)).unwrap();
        assert!(
            said.contains("ours: 111.0") && said.contains("11.0 % more than the 100.0 of C"),
            "{said}"
        );
    }

    #[test]
    fn what_is_not_on_record_is_said() {
        let record = Record(BTreeMap::from([("7.3".to_owned(), BTreeMap::new())]));
        assert_eq!(record.exceeded("7.3", &counts(1.0), &[]).len(), 1);
        assert_eq!(
            Record::default().exceeded("7.3", &counts(1.0), &[]).len(),
            1
        );
    }
}
