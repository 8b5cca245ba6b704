// SPDX-License-Identifier: GPL-2.0

//! Whether what the pages link to is there.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use regex::Regex;
use walkdir::WalkDir;

/// Links of the pages in `folder` that lead nowhere, each with its page. Other sites are not asked.
pub fn broken(folder: &Path) -> Result<Vec<String>> {
    let mut pages = HashMap::new();
    for entry in WalkDir::new(folder) {
        let path = entry?.into_path();
        if path.extension().is_some_and(|end| end == "html") {
            let text = fs::read_to_string(&path)?;
            pages.insert(path.canonicalize()?, text);
        }
    }
    let identifier = Regex::new(r#"\s(?:id|name)="([^"]+)""#)?;
    let anchors: HashMap<&PathBuf, HashSet<&str>> = pages
        .iter()
        .map(|(path, text)| {
            let found = identifier.captures_iter(text).filter_map(|one| one.get(1));
            (path, found.map(|one| one.as_str()).collect())
        })
        .collect();
    let link = Regex::new(r#"\s(?:href|src)="([^"]*)""#)?;
    let mut broken = Vec::new();
    for (page, text) in &pages {
        for found in link.captures_iter(text).filter_map(|one| one.get(1)) {
            let found = found.as_str();
            if !leads_on(page, found, &anchors) {
                let page = page.strip_prefix(folder.canonicalize()?)?;
                broken.push(format!("{}: {found}", page.display()));
            }
        }
    }
    broken.sort();
    Ok(broken)
}

fn leads_on(page: &Path, link: &str, anchors: &HashMap<&PathBuf, HashSet<&str>>) -> bool {
    let elsewhere = ["http:", "https:", "mailto:", "data:"];
    if elsewhere.iter().any(|scheme| link.starts_with(scheme)) {
        return true;
    }
    let (file, fragment) = link.split_once('#').unwrap_or((link, ""));
    let target = match file {
        "" => Ok(page.to_owned()),
        file => page.with_file_name(file).canonicalize(),
    };
    let Ok(target) = target else {
        return false;
    };
    let known = anchors.get(&target);
    target.is_file() && (fragment.is_empty() || known.is_some_and(|known| known.contains(fragment)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_to_nothing_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let page = r##"<a href="b.html#there">1</a> <a href="b.html#gone">2</a> <a href="c.html">3</a>
            <img src="d.png"> <a href="https://example.org/">4</a> <a href="#here" id="here">5</a>"##;
        fs::write(folder.path().join("a.html"), page).unwrap();
        fs::write(folder.path().join("b.html"), r#"<p id="there">"#).unwrap();
        let expected = ["a.html: b.html#gone", "a.html: c.html", "a.html: d.png"];
        assert_eq!(broken(folder.path()).unwrap(), expected);
    }
}
