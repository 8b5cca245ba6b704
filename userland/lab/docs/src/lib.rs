// SPDX-License-Identifier: GPL-2.0

//! The documentation as a web page: an mdBook of what is written in the tree, at its places there, and of the man pages.

mod book;
mod links;
mod manuals;
mod pages;

use std::path::Path;

use anyhow::{bail, Result};
use xcap_machines::cache::Cache;
use xcap_machines::materials::source_tree;
use xcap_machines::provide::root::{Recipe, Root};

/// Makes it in `folder`; a link that leads nowhere is an error.
pub fn make(folder: &Path) -> Result<()> {
    let recipe = Recipe {
        // Where mdBook is.
        suites: &["sid".to_owned()],
        packages: &["mandoc".to_owned(), "mdbook".to_owned()],
    };
    let root = Root::ensure(&Cache::open()?, "docs", &recipe)?;
    let work = tempfile::tempdir()?;
    let sources = work.path().join("src");
    let mut pages = pages::gather(&source_tree()?, &sources)?;
    pages.extend(manuals::gather(&root, &sources)?);
    book::build(&root, work.path(), &pages, folder)?;
    let broken = links::broken(folder)?;
    if !broken.is_empty() {
        bail!("links that lead nowhere:\n  {}", broken.join("\n  "));
    }
    Ok(())
}
