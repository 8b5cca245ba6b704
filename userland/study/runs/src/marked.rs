// SPDX-License-Identifier: GPL-2.0

//! A run of numbered frames that left marks: kept in the folder of the run that it belongs to, and
//! read back as journeys.
//!
//! ```text
//! <run>/
//!     journeys.json           the frames' journeys: services, waits, losses
//!     marks/<domain>.bin      the marks of a domain, as its xcap wrote them
//!     marks/looks.json        what the capturing socket held, again and again
//!     marks/frames.json       the frames of that run, hop by hop
//! ```
//!
//! Marks cost time at every stage, so that the run's statistics are of frames that left none: what
//! is marked is sent after them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{bail, Context, Result};
use base64::prelude::{Engine, BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use xcap_journeys::analysis::{Analysis, Counted};
use xcap_journeys::look::Look;
use xcap_journeys::recording::Recording;
use xcap_journeys::summary::Summary;
use xcap_machines::files::replace;

use crate::format;
use crate::frames::{account, Frames};
use crate::layout::{FRAMES, TESTBED};
use crate::part::{Part, Parts};
use crate::role::Role;
use crate::run_id::{Environment, RunId};
use crate::testbed::{Testbed, Unit};

/// In a run's folder: what is told of its journeys.
pub const JOURNEYS: &str = "journeys.json";
/// … and the folder of what they were made from.
pub const MARKS: &str = "marks";
const LOOKS: &str = "looks.json";

/// What one machine recorded of a run whose frames leave marks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MarkedPart {
    pub part: Part,
    /// The stream of marks, in base64; a sender has none.
    pub marks: Option<String>,
    /// At the capturing socket, where there is one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub looks: Vec<Look>,
}

/// All of a run.
pub type MarkedParts = BTreeMap<Role, MarkedPart>;

/// A run of numbered frames, with its journeys.
pub struct Marked {
    pub frames: Frames,
    /// Of each domain, in the order in which frames come to them.
    pub recordings: Vec<Recording>,
    pub analysis: Analysis,
}

impl MarkedPart {
    pub fn of(part: Part, marks: &[u8], looks: Vec<Look>) -> Self {
        Self {
            part,
            marks: Some(BASE64_STANDARD.encode(marks)),
            looks,
        }
    }
}

/// A sender's.
impl From<Part> for MarkedPart {
    fn from(part: Part) -> Self {
        Self {
            part,
            marks: None,
            looks: Vec::new(),
        }
    }
}

/// Keeps what was marked of a run in its folder, and gives its journeys.
pub fn keep(folder: &Path, run: RunId, marked: MarkedParts) -> Result<Marked> {
    let mut parts = Parts::new();
    for (role, marked) in marked {
        if let Some(marks) = &marked.marks {
            let marks = BASE64_STANDARD.decode(marks);
            let marks = marks.with_context(|| format!("{run}: the marks of {role}"))?;
            replace(&folder.join(MARKS).join(format!("{role}.bin")), marks)?;
        }
        if !marked.looks.is_empty() {
            let text = serde_json::to_string(&marked.looks)? + "\n";
            replace(&folder.join(MARKS).join(LOOKS), text)?;
        }
        parts.insert(role, marked.part);
    }
    let frames = account(run, &parts).map_err(anyhow::Error::msg)?;
    let text = serde_json::to_string_pretty(&frames)? + "\n";
    replace(&folder.join(MARKS).join(FRAMES), text)?;
    let marked = load(folder)?;
    let summary = Summary::new(&marked.analysis);
    let text = serde_json::to_string_pretty(&summary)? + "\n";
    replace(&folder.join(JOURNEYS), text)?;
    Ok(marked)
}

/// Whether there are marks in a run's folder.
pub fn is_there(folder: &Path) -> bool {
    folder.join(MARKS).is_dir()
}

/// The journeys of the run in this folder.
pub fn load(folder: &Path) -> Result<Marked> {
    let marks = folder.join(MARKS);
    if !is_there(folder) {
        bail!(
            "'{}' has no marks: xcap-paper run --marks 1000 records some beside each run",
            folder.display()
        );
    }
    let frames: Frames = format::read(&marks.join(FRAMES), "account of a run's frames")?;
    let recordings = recordings(&marks, frames.run.environment)?;
    let counted = Counted {
        sent: Some(frames.sent),
        captured: Some(frames.captured),
    };
    let analysis = Analysis::new(&recordings, counted)
        .with_context(|| format!("the marks in '{}'", marks.display()))?
        .in_unit(unit(folder)?)
        .with_looks(looks(&marks)?);
    Ok(Marked {
        frames,
        recordings,
        analysis,
    })
}

/// None where nothing captured, or where it was recorded before anybody looked.
fn looks(marks: &Path) -> Result<Vec<Look>> {
    let path = marks.join(LOOKS);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let cannot = || format!("cannot read '{}'", path.display());
    let text = fs::read_to_string(&path).with_context(cannot)?;
    serde_json::from_str(&text).with_context(cannot)
}

/// What a tick is in this run; cycles, where nobody says.
fn unit(folder: &Path) -> Result<Unit> {
    let path = folder.join(TESTBED);
    if !path.exists() {
        return Ok(Unit::default());
    }
    let testbed: Testbed = format::read(&path, "description of a run's machines")?;
    Ok(testbed.unit)
}

fn recordings(marks: &Path, environment: Environment) -> Result<Vec<Recording>> {
    let mut recordings = Vec::new();
    for domain in environment.domains() {
        let path = marks.join(format!("{domain}.bin"));
        let cannot = || format!("cannot read '{}'", path.display());
        let bytes = fs::read(&path).with_context(cannot)?;
        let recording = Recording::parse(&bytes).with_context(cannot)?;
        if recording.domain() != domain.name() {
            bail!(
                "'{}' is of {}, not of {domain}",
                path.display(),
                recording.role.word()
            );
        }
        recordings.push(recording);
    }
    Ok(recordings)
}
