// SPDX-License-Identifier: GPL-2.0

//! What version packages are of.

use crate::run;
use std::path::Path;
use std::process::Command;

pub struct Version {
    pub text: String,
    /// As `debian/changelog` has it.
    pub date: String,
}

const RELEASE: &str = env!("CARGO_PKG_VERSION");

impl Version {
    /// Of a released xcap, or of what can't be told from it.
    pub fn released() -> Self {
        Self {
            text: RELEASE.to_owned(),
            date: "Thu, 01 Jan 2026 00:00:00 +0000".to_owned(),
        }
    }

    /// Of the source tree at hand: between releases its commits are in order of their time, and before the release
    /// that they lead to.
    pub fn of_tree(source: &Path) -> Self {
        let git = |arguments: &[&str]| {
            let mut git = Command::new("git");
            let said = run::output(git.arg("-C").arg(source).args(arguments)).ok()?;
            Some(said.trim().to_owned())
        };
        let Some(date) = git(&["log", "-1", "--format=%cD"]) else {
            return Self::released();
        };
        let tag = git(&["describe", "--exact-match", "--tags"]);
        if tag.is_some_and(|tag| tag == format!("v{RELEASE}")) {
            return Self {
                text: RELEASE.to_owned(),
                date,
            };
        }
        let format = ["log", "-1", "--date=format:%Y%m%d%H%M", "--format=%cd.%h"];
        let commit = git(&format).unwrap_or_default();
        let changed = git(&["status", "--porcelain"]).is_some_and(|files| !files.is_empty());
        let changed = if changed { ".changed" } else { "" };
        Self {
            text: format!("{RELEASE}~{commit}{changed}"),
            date,
        }
    }

    /// Of a module for a kernel of this version: a package without a revision, whose version has no hyphen.
    pub fn with_kernel(&self, kernel: &str) -> String {
        format!("{}+{}", self.text, kernel.replace('-', "."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_s_version_names_the_kernel_s_and_has_no_revision() {
        let version = Version {
            text: "1.2".to_owned(),
            date: String::new(),
        };
        assert_eq!(
            version.with_kernel("7.3.4-1~bpo13+1"),
            "1.2+7.3.4.1~bpo13+1"
        );
    }
}
