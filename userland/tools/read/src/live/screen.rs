// SPDX-License-Identifier: GPL-2.0

//! The live view as it stands on a terminal.

use ratatui::layout::{Alignment, Constraint, Layout};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Text;
use ratatui::widgets::{Cell, Paragraph, Row, Table, Wrap};
use ratatui::Frame;

use crate::live::history::{History, Line};
use crate::show::{cut, figure, machine};
use xcap_abi::state::State;
use xcap_stats::{Report, Stage};

/// Lines that warnings may take.
const WARNINGS: u16 = 3;

/// Characters of the columns, less the last, which takes what is left.
const COLUMNS: [u16; 5] = [14, 10, 11, 8, 9];

/// No sparkline is wider: readings are two seconds apart.
const WIDEST: usize = 30;

const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// What is drawn.
pub struct Screen<'a> {
    /// Of the latest reading, of all stages.
    pub report: &'a Report,
    /// Its stages that are wanted, in order.
    pub stages: &'a [Stage],
    pub history: &'a History,
    /// Seconds between readings.
    pub seconds: f64,
    /// By what stages are sorted.
    pub order: &'a str,
    /// Stages that are scrolled past.
    pub skipped: usize,
    /// What came of the last key.
    pub said: &'a str,
    pub colours: bool,
}

impl Screen<'_> {
    fn colour(&self, colour: Color) -> Style {
        if self.colours {
            Style::new().fg(colour)
        } else {
            Style::new()
        }
    }
}

/// Draws all of it, and gives how many stages there was room for.
pub fn draw(frame: &mut Frame, screen: &Screen) -> usize {
    let warnings = screen.report.warnings.join("; ");
    let warned = if warnings.is_empty() { 0 } else { WARNINGS };
    let [head, state, warning, body, foot] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(warned),
        Constraint::Min(1),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    frame.render_widget(
        Text::raw(cut(&machine(screen.report), head.width.into())),
        head,
    );
    frame.render_widget(state_line(screen), state);
    let style = screen.colour(Color::Yellow);
    frame.render_widget(
        Paragraph::new(warnings)
            .style(style)
            .wrap(Wrap { trim: true }),
        warning,
    );
    let room = usize::from(body.height.saturating_sub(1));
    frame.render_widget(table(screen, body.width, room), body);
    let keys = "q quit  r reset  s stop or start  o order  ↑ ↓ scroll";
    frame.render_widget(
        Text::styled(keys, Style::new().add_modifier(Modifier::DIM)),
        foot,
    );
    room
}

fn state_line(screen: &Screen) -> Text<'static> {
    let recording = screen.report.recording != Some(false);
    let state = if recording { "recording" } else { "STOPPED" };
    let text = format!(
        "{state}, every {} s, by {}  {}",
        screen.seconds, screen.order, screen.said
    );
    let colour = if recording { Color::Green } else { Color::Red };
    Text::styled(text, screen.colour(colour))
}

fn table<'a>(screen: &Screen<'a>, width: u16, room: usize) -> Table<'a> {
    let used: u16 = COLUMNS.iter().map(|column| column + 1).sum();
    let parts = usize::from(width.saturating_sub(used)).min(WIDEST);
    let names = ["calls/s", "cycles/call", "CPU", "missed/s"].map(right);
    let header = [Cell::from("stage")].into_iter().chain(names);
    let header = header.chain([Cell::from(cut("last minute, calls/s", parts))]);
    let stages = screen.stages.iter().skip(screen.skipped).take(room);
    let rows = stages.map(|stage| row(screen, &screen.history.line(stage, parts)));
    let widths = COLUMNS.map(Constraint::Length).into_iter();
    let widths = widths.chain([Constraint::Length(parts as u16)]);
    let bold = Style::new().add_modifier(Modifier::BOLD);
    Table::new(rows, widths).header(Row::new(header).style(bold))
}

fn row<'a>(screen: &Screen<'a>, line: &Line<'a>) -> Row<'a> {
    let name = cut(&line.stage.stage, COLUMNS[0].into());
    if line.stage.state != State::Armed.word() && line.stage.count == 0 {
        let dim = Style::new().add_modifier(Modifier::DIM);
        return Row::new([name, line.stage.state.clone()]).style(dim);
    }
    let known = |value: Option<f64>| right(value.map_or_else(|| "-".into(), figure));
    let rates = line.rates;
    let missed = known(rates.map(|rates| rates.missed));
    let missed = if rates.is_some_and(|rates| rates.missed > 0.0) {
        missed.style(screen.colour(Color::Red))
    } else {
        missed
    };
    Row::new([
        Cell::from(name),
        known(rates.map(|rates| rates.calls)),
        known(rates.and_then(|rates| rates.mean)),
        right(rates.map_or_else(|| "-".into(), |rates| format!("{:.2} %", 100.0 * rates.cpu))),
        missed,
        Cell::from(sparkline(&line.trace)).style(screen.colour(Color::Cyan)),
    ])
}

fn right<'a>(text: impl Into<String>) -> Cell<'a> {
    Cell::from(Text::raw(text.into()).alignment(Alignment::Right))
}

/// As high as its greatest part; what isn't zero is higher than what is.
fn sparkline(trace: &[Option<f64>]) -> String {
    let greatest = trace.iter().flatten().copied().fold(0.0, f64::max);
    let last = (HEIGHTS.len() - 1) as f64;
    let heights = trace.iter().map(|part| match part {
        None => ' ',
        Some(calls) if *calls > 0.0 => HEIGHTS[(calls / greatest * last).ceil() as usize],
        Some(_) => HEIGHTS[0],
    });
    heights.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sparkline_is_as_high_as_its_greatest_part() {
        let trace = [None, Some(0.0), Some(1.0), Some(50.0), Some(100.0)];
        assert_eq!(sparkline(&trace), " ▁▂▅█");
        assert_eq!(sparkline(&[Some(0.0), Some(0.0)]), "▁▁");
        assert_eq!(sparkline(&[]), "");
    }
}
