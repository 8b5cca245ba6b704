// SPDX-License-Identifier: GPL-2.0

//! How samples are spread: one panel a scenario, over one logarithmic axis.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;
use xcap_stats::Histogram;

use super::axis::value_axis;
use super::svg::{figure, text, HEAD};
use super::{theme, Heading, WIDTH};
use crate::histogram::{bounds, density};

const PANEL: i32 = 56;
const FOOT: i32 = 26;

pub struct Distribution<'a> {
    pub label: String,
    pub end: String,
    pub histogram: &'a Histogram,
    pub mean: Option<f64>,
    pub colour: RGBColor,
}

pub fn distributions(heading: &Heading, panels: &[Distribution]) -> String {
    let height = HEAD + panels.len() as i32 * PANEL + FOOT;
    let buckets = || panels.iter().flat_map(|panel| panel.histogram.0.keys());
    let low = buckets()
        .min()
        .map_or(1.0, |least| bounds(*least).0.max(1.0));
    let high = buckets().max().map_or(10.0, |greatest| bounds(*greatest).1);
    let (low, high) = (low / 1.1, high * 1.1);
    figure(heading, height as u32, |root| {
        for (at, panel) in panels.iter().enumerate() {
            let last = at + 1 == panels.len();
            let top = HEAD + at as i32 * PANEL;
            let foot = if last { FOOT } else { 0 };
            let bottom = height - top - PANEL - foot;
            let area = root.margin(top + 17, bottom, 14, 20);
            let densities = density(panel.histogram);
            let peak = densities
                .iter()
                .map(|(.., share)| *share)
                .fold(0.0, f64::max);
            let mut chart = ChartBuilder::on(&area)
                .set_label_area_size(LabelAreaPosition::Bottom, foot)
                .build_cartesian_2d((low..high).log_scale(), 0.0..peak.max(1e-9))?;
            value_axis(&mut chart)?;
            for (from, to, share) in &densities {
                let bar = [(from.max(low), 0.0), (*to, *share)];
                chart.draw_series([Rectangle::new(bar, panel.colour.filled())])?;
            }
            if let Some(mean) = panel.mean.filter(|mean| *mean > low) {
                let mark = vec![(mean, 0.0), (mean, peak)];
                chart.draw_series([PathElement::new(mark, theme::INK.stroke_width(1))])?;
            }
            text(root, &panel.label, (8, top + 2), 11, theme::INK, HPos::Left)?;
            let right = (WIDTH as i32 - 16, top + 2);
            text(root, &panel.end, right, 11, theme::MUTED, HPos::Right)?;
        }
        Ok(())
    })
}
