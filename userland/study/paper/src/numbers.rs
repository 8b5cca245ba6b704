// SPDX-License-Identifier: GPL-2.0

//! Numbers for people.

/// Three digits that matter, thousands and millions by letter.
pub fn short(value: f64) -> String {
    let (scaled, letter) = match value.abs() {
        size if size >= 999_500_000.0 => (value / 1e9, " G"),
        size if size >= 999_500.0 => (value / 1e6, " M"),
        size if size >= 9_995.0 => (value / 1e3, " k"),
        _ => (value, ""),
    };
    let digits = match scaled.abs() {
        size if letter.is_empty() && size >= 10.0 => 0,
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        0.0 => 0,
        _ => 2,
    };
    format!("{}{letter}", grouped(&format!("{scaled:.digits$}")))
}

/// For an axis: no digits that say nothing.
pub fn tick(value: f64) -> String {
    let text = short(value);
    let (number, letter) = text
        .split_once(' ')
        .map_or((text.as_str(), ""), |(n, l)| (n, l));
    let number = match number.contains('.') {
        true => number.trim_end_matches('0').trim_end_matches('.'),
        false => number,
    };
    match letter {
        "" => number.to_owned(),
        letter => format!("{number} {letter}"),
    }
}

/// All digits, in groups of three.
pub fn whole(value: impl Into<u128>) -> String {
    grouped(&value.into().to_string())
}

pub fn rounded(value: f64) -> String {
    grouped(&format!("{value:.0}"))
}

pub fn percent(share: f64) -> String {
    let per_cent = share * 100.0;
    let digits = if per_cent.abs() < 10.0 && per_cent != 0.0 {
        1
    } else {
        0
    };
    format!("{per_cent:.digits$} %").replace('-', "−")
}

pub fn probability(p: f64) -> String {
    if p < 0.001 {
        "p < 0.001".into()
    } else {
        format!("p = {p:.3}")
    }
}

fn grouped(number: &str) -> String {
    let (sign, rest) = match number.strip_prefix('-') {
        Some(rest) => ("−", rest),
        None => ("", number),
    };
    let (integer, fraction) = match rest.split_once('.') {
        Some((integer, fraction)) => (integer, format!(".{fraction}")),
        None => (rest, String::new()),
    };
    let mut text = String::new();
    for (at, digit) in integer.char_indices() {
        if at > 0 && (integer.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    format!("{sign}{text}{fraction}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_at_a_glance() {
        for (value, text) in [
            (0.0, "0"),
            (1.5, "1.50"),
            (42.4, "42"),
            (1234.5, "1,234"),
            (12_345.0, "12.3 k"),
            (999_499.0, "999 k"),
            (1_280_000.0, "1.28 M"),
            (2e9, "2.00 G"),
            (-1234.0, "−1,234"),
        ] {
            assert_eq!(short(value), text);
        }
        assert_eq!(tick(20_000.0), "20 k");
        assert_eq!(tick(1_500_000.0), "1.5 M");
        assert_eq!(whole(1_234_567_u64), "1,234,567");
        assert_eq!(percent(0.0026), "0.3 %");
        assert_eq!(percent(0.5), "50 %");
    }
}
