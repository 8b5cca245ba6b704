// SPDX-License-Identifier: GPL-2.0

//! The command line of `record`, for who types it and for who makes it.

use std::path::PathBuf;

use clap::Args;

use crate::part::Task;
use crate::role::Role;
use crate::run_id::Buffer;
use crate::scenario::Scenario;

/// The option that has frames leave marks.
pub const MARKS: &str = "--marks";

#[derive(Debug, Args)]
pub struct Options {
    /// What this machine is in the study
    #[arg(long, value_enum)]
    pub role: Role,
    /// Where the cable is plugged in; in a domU, its only interface
    #[arg(long, value_name = "NAME")]
    pub interface: String,
    #[arg(long)]
    pub scenario: Scenario,
    #[arg(long, value_enum, default_value_t = Buffer::System)]
    pub buffer: Buffer,
    #[arg(long, default_value_t = 1)]
    pub repetition: u32,
    #[arg(long, default_value_t = 10_000)]
    pub frames: u64,
    /// Number the frames that are sent, and record the marks that they leave
    #[arg(long, conflicts_with = "out")]
    pub marks: bool,
    /// Where a sender sends to
    #[arg(long, value_name = "MAC", default_value = "ff:ff:ff:ff:ff:ff")]
    pub destination: String,
    /// Write the part to this folder [default: to standard output]
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
}

impl Options {
    pub fn task(&self) -> Task {
        Task {
            scenario: self.scenario,
            buffer: self.buffer,
            repetition: self.repetition,
            frames: self.frames,
        }
    }
}

/// The words after the program's name that start a recorder.
pub fn arguments(role: Role, interface: &str, destination: &str, task: Task) -> Vec<String> {
    let options = [
        ("--role", role.to_string()),
        ("--interface", interface.to_owned()),
        ("--scenario", task.scenario.to_string()),
        ("--buffer", task.buffer.to_string()),
        ("--repetition", task.repetition.to_string()),
        ("--frames", task.frames.to_string()),
        ("--destination", destination.to_owned()),
    ];
    let words = options
        .into_iter()
        .flat_map(|(option, value)| [option.to_owned(), value]);
    std::iter::once("record".to_owned()).chain(words).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::PAPER;
    use clap::Parser;

    #[derive(Parser)]
    enum Program {
        Record(Options),
    }

    #[test]
    fn a_recorder_is_told_what_was_meant() {
        for role in Role::ALL {
            let task = Task {
                scenario: PAPER[3],
                buffer: Buffer::Large,
                repetition: 7,
                frames: 1009,
            };
            let words = arguments(role, "eth1", "00:16:3e:00:00:01", task);
            let words = std::iter::once("program".to_owned()).chain(words);
            let Program::Record(options) = Program::parse_from(words);
            assert_eq!((options.role, options.task()), (role, task));
            assert_eq!(options.interface, "eth1");
            assert_eq!(options.destination, "00:16:3e:00:00:01");
            assert_eq!((options.marks, options.out), (false, None));
        }
    }
}
