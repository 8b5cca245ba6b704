// SPDX-License-Identifier: GPL-2.0

//! Points over a rate, joined by lines.

use plotters::prelude::*;

use super::rows::{draw_legend, legend_height};
use super::svg::{figure, font, Fault, HEAD};
use super::{theme, Heading};
use crate::numbers::tick;

const HEIGHT: i32 = 230;
const FOOT: u32 = 26;
const LEFT: u32 = 48;

/// Points of one kind, in the order of their rates.
pub struct Line {
    pub name: String,
    pub colour: RGBColor,
    pub points: Vec<(f64, f64)>,
}

/// Over rates, whose axis is logarithmic; as is that of values, unless they are shares up to `top`.
pub fn lines(heading: &Heading, lines: &[Line], top: Option<f64>) -> String {
    let legend: Vec<_> = lines
        .iter()
        .map(|line| (line.name.clone(), line.colour))
        .collect();
    let head = HEAD + legend_height(&legend) + 4;
    let all = || lines.iter().flat_map(|line| &line.points);
    let bounds = |pick: fn(&(f64, f64)) -> f64| {
        all().map(pick).fold((f64::MAX, 0.0), |(low, high), value| {
            (f64::min(low, value), f64::max(high, value))
        })
    };
    let ((first, last), (low, high)) = (bounds(|point| point.0), bounds(|point| point.1));
    figure(heading, (head + HEIGHT) as u32, |root| {
        draw_legend(root, &legend)?;
        if all().next().is_none() {
            return Ok(());
        }
        let area = root.margin(head, 0, 0, 16);
        let mut builder = ChartBuilder::on(&area);
        builder
            .set_label_area_size(LabelAreaPosition::Bottom, FOOT)
            .set_label_area_size(LabelAreaPosition::Left, LEFT);
        let rates = (first * 0.9..last * 1.1).log_scale();
        match top {
            Some(top) => draw(builder.build_cartesian_2d(rates, 0.0..top)?, lines),
            None => {
                let values = (low * 0.8..high * 1.25).log_scale();
                draw(builder.build_cartesian_2d(rates, values)?, lines)
            }
        }
    })
}

fn draw<X, Y>(
    mut chart: ChartContext<SVGBackend, Cartesian2d<X, Y>>,
    lines: &[Line],
) -> Result<(), Fault>
where
    X: Ranged<ValueType = f64> + plotters::coord::ranged1d::ValueFormatter<f64>,
    Y: Ranged<ValueType = f64> + plotters::coord::ranged1d::ValueFormatter<f64>,
{
    chart
        .configure_mesh()
        .disable_x_mesh()
        .x_labels(5)
        .y_labels(5)
        .x_label_formatter(&|value| tick(*value))
        .y_label_formatter(&|value| tick(*value))
        .label_style(font(10).color(&theme::MUTED))
        .bold_line_style(theme::GRID)
        .light_line_style(TRANSPARENT)
        .axis_style(theme::GRID)
        .draw()?;
    for line in lines {
        chart.draw_series(LineSeries::new(
            line.points.iter().copied(),
            line.colour.stroke_width(2),
        ))?;
        let dots = line.points.iter();
        chart.draw_series(dots.map(|&point| Circle::new(point, 3, line.colour.filled())))?;
    }
    Ok(())
}
