//! The instruction counts on record: `lab/instruction-counts.json`.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

pub const FILE: &str = "lab/instruction-counts.json";

/// How much more than on record a hit may cost.
const MARGIN: f64 = 1.02;

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
        fs::write(path, text).with_context(|| format!("cannot write '{}'", path.display()))
    }

    /// One sentence for each that costs more than it may; the kernel's own counts if they are on record,
    /// those of any other if not.
    pub fn exceeded(&self, kernel: &str, measured: &BTreeMap<String, f64>) -> Vec<String> {
        let (whose, counts) = match self
            .0
            .get_key_value(kernel)
            .or_else(|| self.0.last_key_value())
        {
            Some(found) => found,
            None => return vec!["the record is empty".to_owned()],
        };
        let sentence = |(probe, count): (&String, &f64)| {
            match counts.get(probe) {
            None => Some(format!("{probe}: {count:.1} instructions a hit, and not on record")),
            Some(record) if *count > record * MARGIN => Some(format!(
                "{probe}: {count:.1} instructions a hit, {:.1} % more than the {record:.1} on record for {whose}",
                (count / record - 1.0) * 100.0
            )),
            Some(_) => None,
        }
        };
        measured.iter().filter_map(sentence).collect()
    }
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
        assert!(record.exceeded("7.3", &counts(51.0)).is_empty());
        let said = record.exceeded("7.3", &counts(51.1));
        assert_eq!(said.len(), 1);
        assert!(
            said[0].contains("xcap direct") && said[0].contains("51.1") && said[0].contains("50.0"),
            "{said:?}"
        );
    }

    #[test]
    fn a_kernel_that_is_not_on_record_is_held_to_another() {
        let record = Record(BTreeMap::from([("7.3".to_owned(), counts(50.0))]));
        assert_eq!(record.exceeded("7.4", &counts(60.0)).len(), 1);
        assert!(record.exceeded("7.4", &counts(50.0)).is_empty());
    }

    #[test]
    fn what_is_not_on_record_is_said() {
        let record = Record(BTreeMap::from([("7.3".to_owned(), BTreeMap::new())]));
        assert_eq!(record.exceeded("7.3", &counts(1.0)).len(), 1);
        assert_eq!(Record::default().exceeded("7.3", &counts(1.0)).len(), 1);
    }
}
