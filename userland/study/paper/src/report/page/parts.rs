// SPDX-License-Identifier: GPL-2.0

//! What sections are made of.

use maud::{html, Markup, PreEscaped};

use crate::figure::Figure;
use crate::tables::{Cell, Table};

pub fn section(id: &str, title: &str, body: Markup) -> Markup {
    html! { section id=(id) { h2 { (title) } (body) } }
}

pub fn figures(figures: &[Figure]) -> Markup {
    html! {
        div.figures { @for figure in figures {
            figure id=(figure.id) {
                (PreEscaped(&figure.svg))
                figcaption {
                    (figure.note)
                    details { summary { "The figures" } (table(&figure.table, &figure.id)) }
                }
            }
        } }
    }
}

pub fn table(table: &Table, id: &str) -> Markup {
    let numeric = |column: usize| {
        table
            .rows
            .iter()
            .any(|row| matches!(row.get(column), Some(Cell::Number(..))))
    };
    let class = |column| numeric(column).then_some("n");
    html! {
        div.wide tabindex="0" role="region" aria-label={ "Table " (id) } {
            table data-table=(id) {
                thead { tr { @for (at, column) in table.columns.iter().enumerate() {
                    th class=[class(at)] { (column) }
                } } }
                tbody { @for row in &table.rows {
                    tr { @for (at, cell) in row.iter().enumerate() {
                        @match cell {
                            Cell::Number(value, shown) => td class="n" data-value=(value) { (shown) },
                            other => td class=[class(at)] { (other.shown()) },
                        }
                    } }
                } }
            }
        }
    }
}
