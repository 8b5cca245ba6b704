// SPDX-License-Identifier: GPL-2.0

//! Figures, as SVG: drawn by plotters, made fit for light, dark and print.
//!
//! They are drawn as wide as a phone's screen, so that their text can be read there.

mod axis;
mod bars;
mod distribution;
mod lines;
mod rows;
mod spans;
mod svg;
pub mod theme;

pub use bars::{bars, Bar};
pub use distribution::{distributions, Distribution};
pub use lines::{lines, Line};
pub use rows::{rows, stacks, Group, Row, Scale, Stack};
pub use spans::{spans, SpanRow};
pub use svg::alone;

/// A figure with what a reader needs to understand it alone.
#[derive(Debug, Clone)]
pub struct Figure {
    /// Its file's name, and its anchor on the page.
    pub id: String,
    pub title: String,
    /// A whole SVG document.
    pub svg: String,
    /// What the report says under it.
    pub note: String,
    pub table: crate::tables::Table,
}

/// What stands above every figure.
pub struct Heading<'a> {
    pub title: &'a str,
    /// Unit, and what the cycles are of.
    pub subtitle: &'a str,
}

impl<'a> Heading<'a> {
    pub fn new(title: &'a str, subtitle: &'a str) -> Self {
        Self { title, subtitle }
    }
}

pub const WIDTH: u32 = 360;
