// SPDX-License-Identifier: GPL-2.0

//! The live view: what each stage does now, and did in the last minute.

mod history;
mod screen;

pub use history::{History, Line, Rates};
pub use screen::{draw, Screen};
