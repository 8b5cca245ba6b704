// SPDX-License-Identifier: GPL-2.0

//! Lengths of time on the command line.

/// From a tenth of a second to a day.
pub fn seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.1..=86_400.0).contains(&seconds) {
        Ok(seconds)
    } else {
        Err("not between 0.1 and 86400".into())
    }
}
