// SPDX-License-Identifier: GPL-2.0

//! Upright bars with intervals, one a scenario: the paper's kind of figure.

use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::svg::{figure, font, text, Fault, Root, HEAD};
use super::{theme, Heading, WIDTH};
use crate::numbers::{short, tick};

const HEIGHT: u32 = 280;
const FOOT: i32 = 38;
const LEFT: i32 = 48;

type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

pub struct Bar {
    pub label: String,
    /// A second line under the label.
    pub below: String,
    pub value: Option<f64>,
    /// Half width of the interval.
    pub half: Option<f64>,
    /// One a repetition.
    pub dots: Vec<f64>,
    pub colour: RGBColor,
}

impl Bar {
    fn top(&self) -> f64 {
        let whisker = self.value.unwrap_or(0.0) + self.half.unwrap_or(0.0);
        self.dots.iter().copied().fold(whisker, f64::max)
    }
}

pub fn bars(heading: &Heading, bars: &[Bar]) -> String {
    figure(heading, HEIGHT, |root| {
        let top = bars.iter().map(Bar::top).fold(0.0, f64::max);
        let top = if top > 0.0 { top * 1.12 } else { 1.0 };
        let area = root.margin(HEAD, FOOT, 0, 8);
        let mut chart = ChartBuilder::on(&area)
            .set_label_area_size(LabelAreaPosition::Left, LEFT)
            .build_cartesian_2d(0.0..bars.len() as f64, 0.0..top)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .disable_x_axis()
            .y_labels(6)
            .y_label_formatter(&|value| tick(*value))
            .label_style(font(10).color(&theme::MUTED))
            .axis_style(theme::GRID)
            .bold_line_style(theme::GRID)
            .light_line_style(TRANSPARENT)
            .draw()?;
        for (at, bar) in bars.iter().enumerate() {
            let middle = at as f64 + 0.5;
            let foot = chart.backend_coord(&(middle, 0.0));
            caption(root, bar, foot)?;
            if let Some(value) = bar.value {
                column(&mut chart, bar, middle, value)?;
                let head = chart.backend_coord(&(middle, bar.top()));
                let at = (head.0, (head.1 - 16).max(HEAD - 2));
                text(root, &short(value), at, 12, theme::INK, HPos::Center)?;
            }
        }
        Ok::<(), Fault>(())
    })
}

/// What stands under a bar, and in its place where there is none.
fn caption(root: &Root, bar: &Bar, (x, y): (i32, i32)) -> Result<(), Fault> {
    let line = |words: &str, below: i32, size, colour| {
        text(root, words, (x, y + below), size, colour, HPos::Center)
    };
    line(&bar.label, 6, 12, theme::INK)?;
    line(&bar.below, 21, 10, theme::MUTED)?;
    if bar.value.is_none() {
        line("no calls", -16, 11, theme::MUTED)?;
    }
    Ok(())
}

/// The bar itself, its repetitions' dots and its interval.
fn column(chart: &mut Chart, bar: &Bar, middle: f64, value: f64) -> Result<(), Fault> {
    let body = [(middle - 0.32, 0.0), (middle + 0.32, value)];
    chart.draw_series([Rectangle::new(body, bar.colour.filled())])?;
    for &dot in &bar.dots {
        let at = (middle + 0.2, dot);
        chart.draw_series([Circle::new(at, 3, theme::SURFACE.filled())])?;
        chart.draw_series([Circle::new(at, 2, theme::INK.filled())])?;
    }
    if let Some(half) = bar.half {
        let (low, high) = ((value - half).max(0.0), value + half);
        let line = theme::INK.stroke_width(2);
        for path in [
            vec![(middle, low), (middle, high)],
            vec![(middle - 0.08, low), (middle + 0.08, low)],
            vec![(middle - 0.08, high), (middle + 0.08, high)],
        ] {
            chart.draw_series([PathElement::new(path, line)])?;
        }
    }
    Ok(())
}

/// Where a bar of `value` ends, for a test to check what was drawn.
#[cfg(test)]
pub fn plot_height() -> f64 {
    f64::from(HEIGHT as i32 - HEAD - FOOT)
}

const _: () = assert!(WIDTH > LEFT as u32);

#[cfg(test)]
mod tests {
    use super::*;
    use regex::Regex;

    #[test]
    fn bars_are_as_high_as_their_values() {
        let bar = |value: f64| Bar {
            label: "w0s0064".into(),
            below: String::new(),
            value: Some(value),
            half: None,
            dots: vec![],
            colour: theme::MEASURED,
        };
        let heading = Heading {
            title: "Fig. 3",
            subtitle: "cycles",
        };
        let svg = bars(&heading, &[bar(1000.0), bar(250.0)]);
        let rectangle = Regex::new(r##"<rect[^>]* height="(\d+)"[^>]*class="f-w0s1500""##).unwrap();
        let heights: Vec<f64> = rectangle
            .captures_iter(&svg)
            .map(|found| found[1].parse().unwrap())
            .collect();
        let expected = [1.0 / 1.12, 0.25 / 1.12].map(|share| share * plot_height());
        assert_eq!(heights.len(), 2, "{svg}");
        for (height, expected) in heights.iter().zip(expected) {
            assert!(
                (height - expected).abs() <= 2.0,
                "{heights:?}, not {expected}"
            );
        }
    }
}
