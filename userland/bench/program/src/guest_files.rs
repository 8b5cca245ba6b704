// SPDX-License-Identifier: GPL-2.0

//! Where in a guest the files are that a job needs.

/// The folder that they are put into.
const FOLDER: &str = "/bench";

/// Where the lab puts xcap.
pub const XCAP: &str = "/lab/xcap.ko";

/// The path of the file `name`.
pub fn path(name: &str) -> String {
    format!("{FOLDER}/{name}")
}
