// SPDX-License-Identifier: GPL-2.0

//! From plotters' SVG to one that follows the reader's colours.

use std::collections::BTreeMap;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use regex::{Captures, Regex};

use super::{theme, Heading, WIDTH};

pub type Root<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

/// What drawing to a string never meets, but plotters' signatures allow.
pub type Fault = Box<dyn std::error::Error>;

/// Height of title and subtitle.
pub const HEAD: i32 = 42;

/// Draws a figure under its heading.
pub fn figure(
    heading: &Heading,
    height: u32,
    draw: impl FnOnce(&Root) -> Result<(), Fault>,
) -> String {
    let mut drawn = String::new();
    {
        let root = SVGBackend::with_string(&mut drawn, (WIDTH, height)).into_drawing_area();
        let outcome = text(&root, heading.title, (8, 5), 14, theme::INK, HPos::Left)
            .and_then(|()| {
                text(
                    &root,
                    heading.subtitle,
                    (8, 24),
                    11,
                    theme::MUTED,
                    HPos::Left,
                )
            })
            .and_then(|()| draw(&root))
            .and_then(|()| Ok(root.present()?));
        if let Err(fault) = outcome {
            // A figure that can't be drawn says so where it would be.
            eprintln!("xcap-paper: figure '{}': {fault}", heading.title);
        }
    }
    dress(&drawn, heading)
}

/// A font whose letters come out `size` pixels high: plotters takes the line's height.
pub fn font(size: u32) -> FontDesc<'static> {
    ("sans-serif", f64::from(size) * 1.24).into_font()
}

/// Text whose top is at `at`.
pub fn text(
    root: &Root,
    words: &str,
    at: (i32, i32),
    size: u32,
    colour: RGBColor,
    anchor: HPos,
) -> Result<(), Fault> {
    let style = TextStyle::from(font(size))
        .color(&colour)
        .pos(Pos::new(anchor, VPos::Top));
    Ok(root.draw_text(words, &style, at)?)
}

/// Gives every colour its class, and the document a title for those who can't see it.
fn dress(drawn: &str, heading: &Heading) -> String {
    let classes: BTreeMap<String, &str> = theme::classes().collect();
    let colour = Regex::new(r##"(fill|stroke)="(#[0-9A-F]{6})""##).expect("it is well formed");
    let coloured = colour.replace_all(drawn, |found: &Captures| {
        let (property, colour) = (&found[1], &found[2]);
        match classes.get(colour) {
            Some(class) => format!(
                r#"{property}="{colour}" class="{}-{class}""#,
                &property[..1]
            ),
            None => found[0].to_owned(),
        }
    });
    let name = escape(&format!("{}: {}", heading.title, heading.subtitle));
    let size = Regex::new(r#"<svg width="(\d+)" height="(\d+)""#).expect("it is well formed");
    size.replace(
        &coloured,
        format!(r#"<svg role="img" aria-label="{name}" width="$1" height="$2" font-family="system-ui, sans-serif""#),
    )
    .replace(r#"font-family="sans-serif""#, r#"font-family="system-ui, sans-serif""#)
}

/// The document with its own style sheet, for a file.
pub fn alone(svg: &str) -> String {
    match svg.find('>') {
        Some(end) => {
            let (opening, rest) = svg.split_at(end + 1);
            let paper = r##"<rect width="100%" height="100%" class="f-surface" fill="#FEFEFD"/>"##;
            format!("{opening}<style>{}</style>{paper}{rest}", theme::style())
        }
        None => svg.to_owned(),
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}
