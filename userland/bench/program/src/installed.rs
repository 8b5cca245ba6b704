// SPDX-License-Identifier: GPL-2.0

//! What Debian's packages take, by dpkg's own list.

use anyhow::{bail, Context, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use xcap_machines::provide::deb822;

struct Package {
    version: String,
    kib: u64,
    essential: bool,
    /// Each of which one of several has to be there.
    needs: Vec<Vec<String>>,
}

/// The packages of a root.
pub struct Installed {
    packages: BTreeMap<String, Package>,
    /// Name of no package → the packages that provide it.
    provided: BTreeMap<String, Vec<String>>,
}

impl Installed {
    pub fn read(root: &Path) -> Result<Self> {
        let path = root.join("var/lib/dpkg/status");
        let text = fs::read_to_string(&path)
            .with_context(|| format!("cannot read '{}'", path.display()))?;
        Ok(Self::parse(&text))
    }

    fn parse(status: &str) -> Self {
        let mut installed = Self {
            packages: BTreeMap::new(),
            provided: BTreeMap::new(),
        };
        for paragraph in deb822::paragraphs(status) {
            let name = paragraph.field("Package").to_owned();
            for provided in paragraph.relations("Provides").into_iter().flatten() {
                let providers = installed.provided.entry(provided).or_default();
                providers.push(name.clone());
            }
            let mut needs = paragraph.relations("Pre-Depends");
            needs.extend(paragraph.relations("Depends"));
            let package = Package {
                version: paragraph.field("Version").to_owned(),
                kib: paragraph.field("Installed-Size").parse().unwrap_or(0),
                essential: paragraph.field("Essential") == "yes",
                needs,
            };
            installed.packages.insert(name, package);
        }
        installed
    }

    pub fn version(&self, name: &str) -> Option<&str> {
        self.packages
            .get(name)
            .map(|package| package.version.as_str())
    }

    /// What these packages and all that they need take, beyond what every Debian has.
    pub fn megabytes(&self, names: &[String]) -> Result<f64> {
        if let Some(missing) = names.iter().find(|name| !self.packages.contains_key(*name)) {
            bail!("package {missing} isn't installed");
        }
        let essential = self
            .packages
            .iter()
            .filter(|(_, package)| package.essential);
        let base = self.closure(essential.map(|(name, _)| name.clone()));
        let all = self.closure(names.iter().cloned());
        let kib: u64 = all
            .difference(&base)
            .map(|name| self.packages[name].kib)
            .sum();
        Ok(kib as f64 / 1024.0)
    }

    fn closure(&self, names: impl Iterator<Item = String>) -> BTreeSet<String> {
        let mut todo: Vec<String> = names.collect();
        let mut done = BTreeSet::new();
        while let Some(name) = todo.pop() {
            if !self.packages.contains_key(&name) {
                let providers = self.provided.get(&name).into_iter().flatten();
                todo.extend(
                    providers
                        .filter(|provider| !done.contains(*provider))
                        .cloned(),
                );
                continue;
            }
            let needs = &self.packages[&name].needs;
            if done.insert(name) {
                // Of several that would do, those that are there were chosen.
                todo.extend(
                    needs
                        .iter()
                        .flatten()
                        .filter(|need| !done.contains(*need))
                        .cloned(),
                );
            }
        }
        done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &str = "Package: base\nEssential: yes\nInstalled-Size: 9000\nDepends: libc\n\n\
        Package: libc\nInstalled-Size: 1024\nVersion: 2.41-1\n\n\
        Package: tool\nInstalled-Size: 2048\nDepends: libc (>= 2.38), virtual:any | missing, other\nVersion: 1\n\n\
        Package: real\nInstalled-Size: 512\nProvides: virtual (= 1)\nDepends: tool\n\n\
        Package: other\nInstalled-Size: 512\n\n\
        Package: unrelated\nInstalled-Size: 4096\n";

    #[test]
    fn what_every_debian_has_does_not_count() {
        let installed = Installed::parse(STATUS);
        assert_eq!(installed.megabytes(&["tool".to_owned()]).unwrap(), 3.0);
        assert_eq!(installed.megabytes(&["libc".to_owned()]).unwrap(), 0.0);
        assert_eq!(installed.version("libc"), Some("2.41-1"));
        assert!(installed.megabytes(&["nothing".to_owned()]).is_err());
    }
}
