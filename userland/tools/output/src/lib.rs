// SPDX-License-Identifier: GPL-2.0

//! Standard output: a terminal of some width, a file, or a pipe that may close.

use std::io::{self, ErrorKind, Write};
use std::process::exit;

/// Width for what isn't a terminal.
const PIPED: usize = 80;

/// Characters that fit in a line.
pub fn width() -> usize {
    terminal_size::terminal_size_of(io::stdout()).map_or(PIPED, |(width, _)| width.0.into())
}

/// Writes `text`; a reader that has gone away (`| head`) ends us quietly.
pub fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => exit(0),
        Err(error) => Err(io::Error::new(
            error.kind(),
            format!("cannot write: {error}"),
        )),
        Ok(()) => Ok(()),
    }
}
