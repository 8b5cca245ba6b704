// SPDX-License-Identifier: GPL-2.0

//! Completions, where Debian's shells look for them.

use clap_complete::{generate, Shell};

use crate::made::Made;
use crate::program::Program;

/// A program's, for each shell.
pub fn of(program: &Program) -> Vec<Made> {
    let name = program.name;
    [
        (Shell::Bash, format!("bash-completion/completions/{name}")),
        (Shell::Zsh, format!("zsh/vendor-completions/_{name}")),
        (
            Shell::Fish,
            format!("fish/vendor_completions.d/{name}.fish"),
        ),
    ]
    .into_iter()
    .map(|(shell, path)| {
        let mut text = Vec::new();
        generate(shell, &mut program.command.clone(), name, &mut text);
        Made {
            path: path.into(),
            text,
        }
    })
    .collect()
}
