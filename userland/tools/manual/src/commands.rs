// SPDX-License-Identifier: GPL-2.0

//! A program's commands, each with its options.

use clap::{Arg, Command};

use crate::roff;

/// The section; nothing for a program without commands.
pub fn section(program: &Command) -> String {
    let commands = program.get_subcommands();
    let told: String = commands
        .filter(|command| !command.is_hide_set() && command.get_name() != "help")
        .map(subsection)
        .collect();
    match told.as_str() {
        "" => told,
        _ => format!(".SH COMMANDS\n{told}"),
    }
}

fn subsection(command: &Command) -> String {
    let about = command.get_about().map(ToString::to_string);
    let arguments = command.get_arguments().filter(|arg| !arg.is_hide_set());
    let told: String = arguments.map(argument).collect();
    format!(
        ".SS {}\n{}.\n{told}",
        command.get_name().replace('-', "\\-"),
        roff::text(&about.unwrap_or_default())
    )
}

fn argument(argument: &Arg) -> String {
    let values = argument.get_value_names().unwrap_or_default();
    let takes = argument.get_action().takes_values();
    let values: Vec<String> = values.iter().map(|value| format!("<{value}>")).collect();
    let name = match argument.get_long() {
        Some(long) if takes => format!("--{long} {}", values.join(" ")),
        Some(long) => format!("--{long}"),
        None => values.join(" "),
    };
    let help = argument.get_help().map(ToString::to_string);
    let mut meaning = help.unwrap_or_default();
    let defaults: Vec<_> = argument
        .get_default_values()
        .iter()
        .map(|value| value.to_string_lossy())
        .collect();
    if takes && !defaults.is_empty() && !argument.is_hide_default_value_set() {
        meaning += &format!(" [default: {}]", defaults.join(","));
    }
    roff::entry(&name, &meaning)
}
