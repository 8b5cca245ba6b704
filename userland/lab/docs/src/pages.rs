// SPDX-License-Identifier: GPL-2.0

//! What is written in the tree.

use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};
use regex::{Captures, Regex};

/// A page of the book.
pub struct Page {
    pub title: String,
    /// Below the book's sources.
    pub path: PathBuf,
}

/// What comes first, and what comes after all that is in `docs/`.
const FIRST: [&str; 1] = ["README.md"];
const LAST: [&str; 4] = [
    "userland/study/paper/README.md",
    "CONTRIBUTING.md",
    "patches/README.md",
    "CHANGELOG.md",
];

/// Copies all pages, and the files that they link to, to the places that they have in the tree.
pub fn gather(tree: &Path, sources: &Path) -> Result<Vec<Page>> {
    let mut docs = Vec::new();
    for entry in fs::read_dir(tree.join("docs"))? {
        let name = entry?.file_name();
        if Path::new(&name).extension().is_some_and(|end| end == "md") {
            docs.push(Path::new("docs").join(name));
        }
    }
    docs.sort();
    let paths = FIRST.iter().map(PathBuf::from).chain(docs);
    let paths = paths.chain(LAST.iter().map(PathBuf::from));
    paths.map(|path| page(tree, sources, path)).collect()
}

fn page(tree: &Path, sources: &Path, path: PathBuf) -> Result<Page> {
    let text = fs::read_to_string(tree.join(&path))
        .with_context(|| format!("cannot read '{}'", path.display()))?;
    let link = Regex::new(r"\[([^\]]*)\]\(([^)#\s:]+)(?:#[^)]*)?\)")?;
    let place = |target: &str| normal(&path.with_file_name("").join(target));
    // A folder is no page.
    let text = link.replace_all(&text, |found: &Captures| {
        let is_folder = tree.join(place(&found[2])).is_dir();
        found[if is_folder { 1 } else { 0 }].to_owned()
    });
    write(&sources.join(&path), text.as_bytes())?;
    for found in link.captures_iter(&text) {
        let target = place(&found[2]);
        let file = tree.join(&target);
        if file.is_file() && target.extension().is_none_or(|end| end != "md") {
            write(&sources.join(&target), &fs::read(file)?)?;
        }
    }
    let title = text.lines().find_map(|line| line.strip_prefix("# "));
    Ok(Page {
        title: title.context("a page without title")?.to_owned(),
        path,
    })
}

/// Without `.` and `..`.
fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                out.pop();
            }
            Component::Normal(name) => out.push(name),
            _ => {}
        }
    }
    out
}

/// Writes a file and makes its folder.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
    folder
        .and_then(|()| fs::write(path, bytes))
        .with_context(|| format!("cannot write '{}'", path.display()))
}
