// SPDX-License-Identifier: GPL-2.0

//! The axis of values below lying bars.

use plotters::coord::ranged1d::{Ranged, ValueFormatter};
use plotters::prelude::*;

use super::svg::{font, Fault};
use super::theme;
use crate::numbers::tick;

pub fn value_axis<X, Y>(
    chart: &mut ChartContext<SVGBackend, Cartesian2d<X, Y>>,
) -> Result<(), Fault>
where
    X: Ranged<ValueType = f64> + ValueFormatter<f64>,
    Y: Ranged + ValueFormatter<Y::ValueType>,
{
    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .x_labels(5)
        .x_label_formatter(&|value| tick(*value))
        .label_style(font(10).color(&theme::MUTED))
        .bold_line_style(theme::GRID)
        .light_line_style(TRANSPARENT)
        .axis_style(theme::GRID)
        .draw()?;
    Ok(())
}
