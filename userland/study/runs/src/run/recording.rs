// SPDX-License-Identifier: GPL-2.0

//! What a run asks of machines, whatever they are and however they are reached.

use anyhow::Result;

use crate::part::Task;
use crate::role::Role;
use crate::run_id::Environment;
use crate::testbed::Emulator;

/// Where machines come from.
pub trait Source {
    fn start(&mut self, environment: Environment) -> Result<Box<dyn Machines>>;

    /// How often a run is begun: machines that die may be started anew.
    fn attempts(&self) -> u32;

    /// What only the emulator's host knows; none: real machines.
    fn emulator(&self) -> Option<Emulator>;
}

/// Machines that are up.
pub trait Machines {
    /// Those that are measured.
    fn roles(&self) -> Vec<Role>;

    /// Starts a recorder.
    fn record(&self, role: Role, task: Task) -> Result<Box<dyn Recording>>;

    /// Starts a recorder of numbered frames and the marks that they leave.
    fn record_marks(&self, role: Role, task: Task) -> Result<Box<dyn Recording>>;

    /// An error with what the machines last said, where that helps.
    fn explain(&mut self, error: anyhow::Error) -> anyhow::Error {
        error
    }

    /// An error if a machine isn't well, though it answered.
    fn check(&self) -> Result<()> {
        Ok(())
    }
}

/// A recorder under way in a machine.
pub trait Recording {
    /// Waits until the first frame may come.
    fn begun(&mut self) -> Result<()>;

    /// Tells it that the last frame was sent.
    fn over(&mut self) -> Result<()>;

    /// Waits for its part, as JSON.
    fn part(self: Box<Self>) -> Result<Vec<u8>>;
}
