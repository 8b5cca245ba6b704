// SPDX-License-Identifier: GPL-2.0

//! Families of metrics as text: OpenMetrics 1.0, or what Prometheus had before (0.0.4).

use std::fmt::Write;

/// How it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// Prometheus's text format 0.0.4, which node_exporter's textfile collector takes.
    Prometheus,
}

/// What a family measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
    Histogram,
    /// Labels that tell something; always 1.
    Info,
}

/// Metrics of one name.
pub struct Family {
    pub name: &'static str,
    pub kind: Kind,
    /// The name ends with it.
    pub unit: Option<&'static str>,
    pub help: &'static str,
    pub samples: Vec<Sample>,
}

/// One of them.
pub struct Sample {
    /// What follows the family's name, but for what its kind demands.
    pub suffix: &'static str,
    pub labels: Vec<(&'static str, String)>,
    pub value: String,
}

/// The text so far.
pub struct Text {
    syntax: Syntax,
    out: String,
}

impl Text {
    pub fn new(syntax: Syntax) -> Self {
        Self {
            syntax,
            out: String::new(),
        }
    }

    pub fn family(&mut self, family: &Family) {
        if family.samples.is_empty() {
            return;
        }
        let open = self.syntax == Syntax::OpenMetrics;
        let suffix = match family.kind {
            Kind::Counter => "_total",
            Kind::Info => "_info",
            Kind::Gauge | Kind::Histogram => "",
        };
        let kind = match family.kind {
            Kind::Counter => "counter",
            Kind::Histogram => "histogram",
            Kind::Info if open => "info",
            Kind::Gauge | Kind::Info => "gauge",
        };
        // Before OpenMetrics a family had the full name of its samples.
        let name = if open {
            family.name.to_owned()
        } else {
            format!("{}{suffix}", family.name)
        };
        self.line(&format!("# TYPE {name} {kind}"));
        if let Some(unit) = family.unit.filter(|_| open) {
            self.line(&format!("# UNIT {name} {unit}"));
        }
        self.line(&format!("# HELP {name} {}", escaped(family.help)));
        for sample in &family.samples {
            let labels: Vec<String> = sample
                .labels
                .iter()
                .map(|(label, value)| format!("{label}=\"{}\"", escaped(value)))
                .collect();
            let labels = match labels.as_slice() {
                [] => String::new(),
                some => format!("{{{}}}", some.join(",")),
            };
            self.line(&format!(
                "{}{suffix}{}{labels} {}",
                family.name, sample.suffix, sample.value
            ));
        }
    }

    pub fn end(mut self) -> String {
        if self.syntax == Syntax::OpenMetrics {
            self.line("# EOF");
        }
        self.out
    }

    fn line(&mut self, line: &str) {
        // Writing to a string does not fail.
        let _ = writeln!(self.out, "{line}");
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}
