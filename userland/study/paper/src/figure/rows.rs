// SPDX-License-Identifier: GPL-2.0

//! Lying bars: groups of rows, and rows of stacked parts.

use plotters::coord::ranged1d::{Ranged, ValueFormatter};
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::axis::value_axis;
use super::svg::{figure, text, Fault, Root, HEAD};
use super::{theme, Heading, WIDTH};
use crate::numbers::short;

const ROW: i32 = 13;
const GROUP_GAP: i32 = 20;
const LEGEND_LINE: i32 = 17;
const FOOT: i32 = 26;

/// Rows under one name.
pub struct Group {
    pub label: String,
    pub rows: Vec<Row>,
}

pub struct Row {
    pub value: Option<f64>,
    pub half: Option<f64>,
    pub colour: RGBColor,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Scale {
    Linear,
    Logarithmic,
}

/// Bars in groups; the legend names their colours.
pub fn rows(
    heading: &Heading,
    legend: &[(String, RGBColor)],
    groups: &[Group],
    scale: Scale,
) -> String {
    let head = HEAD + legend_height(legend) + 4;
    let rows: usize = groups.iter().map(|group| group.rows.len()).sum();
    let body = rows as i32 * ROW + groups.len() as i32 * GROUP_GAP;
    let height = (head + body + FOOT) as u32;
    let values = || {
        groups
            .iter()
            .flat_map(|group| &group.rows)
            .filter_map(|row| row.value)
    };
    let top = groups
        .iter()
        .flat_map(|group| &group.rows)
        .map(|row| row.value.unwrap_or(0.0) + row.half.unwrap_or(0.0))
        .fold(0.0, f64::max);
    figure(heading, height, |root| {
        draw_legend(root, legend)?;
        let area = root.margin(head, 0, 14, 56);
        let mut builder = ChartBuilder::on(&area);
        builder.set_label_area_size(LabelAreaPosition::Bottom, FOOT);
        match scale {
            Scale::Linear => {
                let top = if top > 0.0 { top * 1.02 } else { 1.0 };
                let chart = builder.build_cartesian_2d(0.0..top, 0..body)?;
                draw_groups(root, chart, groups, body, 0.0)
            }
            Scale::Logarithmic => {
                let least = values()
                    .filter(|value| *value > 0.0)
                    .fold(f64::MAX, f64::min);
                let low = if least < f64::MAX {
                    10f64.powf(least.log10().floor())
                } else {
                    1.0
                };
                let top = if top > low { top * 1.1 } else { low * 10.0 };
                let chart = builder.build_cartesian_2d((low..top).log_scale(), 0..body)?;
                draw_groups(root, chart, groups, body, low)
            }
        }
    })
}

type Chart<'a, 'b, X> =
    ChartContext<'a, SVGBackend<'b>, Cartesian2d<X, plotters::coord::types::RangedCoordi32>>;

fn draw_groups<X>(
    root: &Root,
    mut chart: Chart<X>,
    groups: &[Group],
    body: i32,
    least: f64,
) -> Result<(), Fault>
where
    X: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    value_axis(&mut chart)?;
    let mut y = body;
    for group in groups {
        let at = chart.backend_coord(&(least, y));
        text(
            root,
            &group.label,
            (at.0, at.1 + 5),
            11,
            theme::INK,
            HPos::Left,
        )?;
        y -= GROUP_GAP;
        for row in &group.rows {
            if let Some(value) = row.value {
                let value_or_least = value.max(least);
                let bar = [(least, y - 1), (value_or_least, y - ROW + 1)];
                chart.draw_series([Rectangle::new(bar, row.colour.filled())])?;
                let middle = y - ROW / 2;
                if let Some(half) = row.half {
                    let ends = vec![((value - half).max(least), middle), (value + half, middle)];
                    chart.draw_series([PathElement::new(ends, theme::INK.stroke_width(1))])?;
                }
                let end = value + row.half.unwrap_or(0.0);
                let at = chart.backend_coord(&(end.max(least), y));
                text(
                    root,
                    &short(value),
                    (at.0 + 4, at.1 + 1),
                    10,
                    theme::INK,
                    HPos::Left,
                )?;
            } else {
                let at = chart.backend_coord(&(least, y));
                text(
                    root,
                    "–",
                    (at.0 + 4, at.1 + 1),
                    10,
                    theme::MUTED,
                    HPos::Left,
                )?;
            }
            y -= ROW;
        }
    }
    Ok(())
}

/// A row of parts; `label` stands above it, `end` behind it.
pub struct Stack {
    pub label: String,
    pub end: String,
    /// Value and colour, from the left.
    pub parts: Vec<(f64, RGBColor)>,
}

const STACK: i32 = 20;
const STACK_GAP: i32 = 20;

pub fn stacks(heading: &Heading, legend: &[(String, RGBColor)], stacks: &[Stack]) -> String {
    let head = HEAD + legend_height(legend) + 4;
    let body = stacks.len() as i32 * (STACK + STACK_GAP);
    let total = |stack: &Stack| stack.parts.iter().map(|(value, _)| value).sum::<f64>();
    let top = stacks.iter().map(total).fold(0.0, f64::max);
    let top = if top > 0.0 { top } else { 1.0 };
    figure(heading, (head + body + FOOT) as u32, |root| {
        draw_legend(root, legend)?;
        let area = root.margin(head, 0, 14, 20);
        let mut chart = ChartBuilder::on(&area)
            .set_label_area_size(LabelAreaPosition::Bottom, FOOT)
            .build_cartesian_2d(0.0..top, 0..body)?;
        value_axis(&mut chart)?;
        let mut y = body;
        for stack in stacks {
            let at = chart.backend_coord(&(0.0, y));
            text(
                root,
                &stack.label,
                (at.0, at.1 + 4),
                11,
                theme::INK,
                HPos::Left,
            )?;
            let right = (WIDTH as i32 - 16, at.1 + 4);
            text(root, &stack.end, right, 11, theme::MUTED, HPos::Right)?;
            y -= STACK_GAP;
            let mut left = 0.0;
            for (value, colour) in &stack.parts {
                let part = [(left, y), (left + value, y - STACK + 2)];
                chart.draw_series([Rectangle::new(part, colour.filled())])?;
                left += value;
                // A gap in the paper's colour keeps neighbours apart.
                let edge = vec![(left, y), (left, y - STACK + 2)];
                chart.draw_series([PathElement::new(edge, theme::SURFACE.stroke_width(1))])?;
            }
            y -= STACK;
        }
        Ok(())
    })
}

/// Pixels that a legend takes.
pub(super) fn legend_height(legend: &[(String, RGBColor)]) -> i32 {
    legend.len().div_ceil(legend_columns(legend)) as i32 * LEGEND_LINE
}

fn legend_columns(legend: &[(String, RGBColor)]) -> usize {
    let widest = legend
        .iter()
        .map(|(name, _)| name.chars().count())
        .max()
        .unwrap_or(0);
    match widest {
        0..=9 => 4,
        10..=16 => 3,
        17..=26 => 2,
        _ => 1,
    }
}

pub(super) fn draw_legend(root: &Root, legend: &[(String, RGBColor)]) -> Result<(), Fault> {
    let columns = legend_columns(legend);
    let width = (WIDTH as i32 - 16) / columns as i32;
    for (at, (name, colour)) in legend.iter().enumerate() {
        let x = 8 + (at % columns) as i32 * width;
        let y = HEAD + (at / columns) as i32 * LEGEND_LINE;
        root.draw(&Rectangle::new(
            [(x, y + 1), (x + 10, y + 11)],
            colour.filled(),
        ))?;
        text(root, name, (x + 15, y), 11, theme::INK, HPos::Left)?;
    }
    Ok(())
}
