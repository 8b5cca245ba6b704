// SPDX-License-Identifier: GPL-2.0

//! Tables: on the page, as CSV and as Markdown.

use anyhow::Result;

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    Text(String),
    /// As it is in the results, for programs; people see it rounded.
    Number(f64, String),
    Missing,
}

impl Cell {
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A figure that people see in short.
    pub fn short(value: Option<f64>) -> Self {
        value.map_or(Self::Missing, |value| {
            Self::Number(value, crate::numbers::short(value))
        })
    }

    pub fn rounded(value: Option<f64>) -> Self {
        value.map_or(Self::Missing, |value| {
            Self::Number(value, crate::numbers::rounded(value))
        })
    }

    pub fn count(value: u64) -> Self {
        Self::Number(value as f64, crate::numbers::whole(value))
    }

    pub fn share(value: Option<f64>) -> Self {
        value.map_or(Self::Missing, |value| {
            Self::Number(value, crate::numbers::percent(value))
        })
    }

    pub fn ratio(value: Option<f64>) -> Self {
        value.map_or(Self::Missing, |value| {
            Self::Number(value, format!("{value:.2}×"))
        })
    }

    /// With two digits after the point.
    pub fn hundredths(value: Option<f64>) -> Self {
        value.map_or(Self::Missing, |value| {
            Self::Number(value, format!("{value:.2}"))
        })
    }

    pub fn shown(&self) -> &str {
        match self {
            Self::Text(text) | Self::Number(_, text) => text,
            Self::Missing => "–",
        }
    }

    fn exact(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(value, _) => value.to_string(),
            Self::Missing => String::new(),
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Cell>>,
}

impl Table {
    pub fn new(columns: &[&str]) -> Self {
        Self {
            columns: columns.iter().map(|&column| column.to_owned()).collect(),
            rows: Vec::new(),
        }
    }

    pub fn push(&mut self, row: Vec<Cell>) {
        self.rows.push(row);
    }

    pub fn csv(&self) -> Result<Vec<u8>> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(&self.columns)?;
        for row in &self.rows {
            writer.write_record(row.iter().map(Cell::exact))?;
        }
        Ok(writer.into_inner()?)
    }

    pub fn markdown(&self) -> String {
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let escape = |text: &str| text.replace('|', "\\|");
        let mut text = line(self.columns.iter().map(|column| escape(column)).collect());
        let rules = (0..self.columns.len()).map(|column| {
            let numbers = self
                .rows
                .iter()
                .any(|row| matches!(row.get(column), Some(Cell::Number(..))));
            if numbers { "---:" } else { "---" }.to_owned()
        });
        text.push_str(&line(rules.collect()));
        for row in &self.rows {
            text.push_str(&line(row.iter().map(|cell| escape(cell.shown())).collect()));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_hold_what_the_page_shows() {
        let mut table = Table::new(&["stage", "mean"]);
        table.push(vec![Cell::text("a|b"), Cell::short(Some(12_345.678))]);
        table.push(vec![Cell::text("c, d"), Cell::Missing]);
        let csv = String::from_utf8(table.csv().unwrap()).unwrap();
        assert_eq!(csv, "stage,mean\na|b,12345.678\n\"c, d\",\n");
        let markdown = "| stage | mean |\n| --- | ---: |\n| a\\|b | 12.3 k |\n| c, d | – |\n";
        assert_eq!(table.markdown(), markdown);
    }
}
