// SPDX-License-Identifier: GPL-2.0

//! Rows of spans over one time: what was when.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::axis::value_axis;
use super::rows::{draw_legend, legend_height};
use super::svg::{figure, text, HEAD};
use super::{theme, Heading};

const FOOT: i32 = 26;

/// A row; its label, if any row has one, stands above it.
pub struct SpanRow {
    pub label: String,
    /// From, to and colour, in the axis' unit.
    pub spans: Vec<(f64, f64, RGBColor)>,
}

/// Draws rows from the top, each `height` pixels high. A span is at least a pixel wide.
pub fn spans(
    heading: &Heading,
    legend: &[(String, RGBColor)],
    rows: &[SpanRow],
    height: i32,
) -> String {
    let head = HEAD + legend_height(legend) + 4;
    let label = match rows.iter().all(|row| row.label.is_empty()) {
        true => 0,
        false => 16,
    };
    let body = rows.len() as i32 * (height + label);
    let end = rows.iter().flat_map(|row| &row.spans).map(|span| span.1);
    let end = end.fold(0.0, f64::max);
    let end = if end > 0.0 { end } else { 1.0 };
    figure(heading, (head + body + FOOT) as u32, |root| {
        draw_legend(root, legend)?;
        let area = root.margin(head, 0, 14, 20);
        let mut chart = ChartBuilder::on(&area)
            .set_label_area_size(LabelAreaPosition::Bottom, FOOT)
            .build_cartesian_2d(0.0..end, 0..body)?;
        value_axis(&mut chart)?;
        for (number, row) in rows.iter().enumerate() {
            let top = body - number as i32 * (height + label);
            if label > 0 {
                let at = chart.backend_coord(&(0.0, top));
                let at = (at.0, at.1 + 3);
                text(root, &row.label, at, 10, theme::INK, HPos::Left)?;
            }
            let top = top - label;
            for &(from, to, colour) in &row.spans {
                let (left, upper) = chart.backend_coord(&(from, top));
                let (right, lower) = chart.backend_coord(&(to, top - height));
                let ends = [(left, upper), (right.max(left + 1), lower - 1)];
                root.draw(&Rectangle::new(ends, colour.filled()))?;
            }
        }
        Ok(())
    })
}
