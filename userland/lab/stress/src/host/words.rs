// SPDX-License-Identifier: GPL-2.0

//! Values of options, as they are said.

/// What it is called on the command line.
pub fn name_of(word: impl clap::ValueEnum) -> String {
    let value = word.to_possible_value();
    value.map_or_else(String::new, |value| value.get_name().to_owned())
}
