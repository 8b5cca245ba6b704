// SPDX-License-Identifier: GPL-2.0

//! A `stats` file with other figures, as one that was read later has.

use xcap_abi::record::COLUMNS;

use crate::error::Malformed;
use crate::parse::parse;
use crate::stats::Stage;

/// The text of a `stats` file with each stage as `change` makes it, and what follows from its figures worked out anew.
///
/// The facts stay. The columns are all that there are today: the text's may be fewer.
///
/// # Errors
///
/// The text is no `stats` file.
pub fn rewritten(text: &str, change: impl Fn(&Stage) -> Stage) -> Result<String, Malformed> {
    let facts = text
        .split_inclusive('\n')
        .filter(|line| line.starts_with("# "))
        .filter(|line| !line.starts_with("# columns ") && *line != "# end\n");
    let mut out: String = facts.collect();
    out += &format!("# columns {}\n", COLUMNS.join(" "));
    for stage in parse(text)?.stages {
        let mut changed = change(&stage);
        changed.derive();
        changed.write(&mut out).expect("a string takes it");
        out.push('\n');
    }
    Ok(out + "# end\n")
}
