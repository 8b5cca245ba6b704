// SPDX-License-Identifier: GPL-2.0

//! Numbers short enough for a column; `-` for what isn't known.

/// A figure with some five digits.
pub fn figure(value: f64) -> String {
    let size = value.abs();
    if size >= 1e9 {
        format!("{value:.3e}")
    } else if size >= 1e3 {
        format!("{value:.0}")
    } else if size >= 1e2 {
        format!("{value:.1}")
    } else if size >= 1.0 || size == 0.0 {
        format!("{value:.2}")
    } else {
        format!("{value:.3}")
    }
}

/// The same, where it may be unknown.
pub fn optional(value: Option<f64>) -> String {
    value.map_or_else(|| "-".into(), figure)
}

/// An integer in at most six characters: `87654`, `1.23M`.
pub fn brief(value: u64) -> String {
    const UNITS: [(f64, &str); 6] = [
        (1e18, "E"),
        (1e15, "P"),
        (1e12, "T"),
        (1e9, "G"),
        (1e6, "M"),
        (1e3, "k"),
    ];
    if value < 100_000 {
        return value.to_string();
    }
    let size = value as f64;
    let (unit, letter) = UNITS
        .into_iter()
        .find(|(unit, _)| size >= *unit)
        .unwrap_or((1.0, ""));
    let scaled = size / unit;
    let digits = match scaled {
        scaled if scaled < 10.0 => 2,
        scaled if scaled < 100.0 => 1,
        _ => 0,
    };
    format!("{scaled:.digits$}{letter}")
}

/// `text` cut to `width` characters, the cut marked.
pub fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.into();
    }
    let mut short: String = text.chars().take(width.saturating_sub(1)).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brief_numbers_fit_six_characters() {
        for (value, expected) in [
            (0, "0"),
            (99_999, "99999"),
            (100_000, "100k"),
            (1_234_567, "1.23M"),
            (12_345_678, "12.3M"),
            (123_456_789, "123M"),
            (u64::MAX, "18.4E"),
        ] {
            assert_eq!(brief(value), expected);
        }
    }
}
