// SPDX-License-Identifier: GPL-2.0

//! A crate's modules, and what a path in one of them leads to.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{bail, Context, Result};
use syn::{Attribute, Expr, ExprLit, Item, Lit, Meta};

use crate::paths::Named;
use crate::test_only::is_test_only;

/// How many re-exports a name is followed through.
const DEEPEST: usize = 16;

/// A module, in a file of its own or within another's.
#[derive(Debug)]
struct Module {
    file: PathBuf,
    parent: Option<usize>,
    children: BTreeMap<String, usize>,
    named: Named,
    /// Macros that it exports, which are then named in the root.
    macros: BTreeSet<String>,
}

/// All modules of a crate; the first is its root.
#[derive(Debug, Default)]
pub struct Modules(Vec<Module>);

/// A file that uses another.
pub type Edge = (PathBuf, PathBuf);

impl Modules {
    /// Reads the crate whose root is the file `root`.
    pub fn read(root: &Path) -> Result<Self> {
        let mut modules = Self::default();
        let folder = root.parent().unwrap_or(Path::new(""));
        modules.read_file(root, None, folder)?;
        Ok(modules)
    }

    /// Reads `file`, whose own modules are in `folder`.
    fn read_file(&mut self, file: &Path, parent: Option<usize>, folder: &Path) -> Result<usize> {
        let text = fs::read_to_string(file)
            .with_context(|| format!("cannot read '{}'", file.display()))?;
        let parsed = syn::parse_file(&text)
            .with_context(|| format!("'{}' is no Rust that we know", file.display()))?;
        self.add(file, parent, folder, folder, &parsed.items)
    }

    /// Adds a module of `items`. Its modules are in `folder`, those with a `#[path]` from `named_from`.
    fn add(
        &mut self,
        file: &Path,
        parent: Option<usize>,
        folder: &Path,
        named_from: &Path,
        items: &[Item],
    ) -> Result<usize> {
        let this = self.0.len();
        self.0.push(Module {
            file: file.to_owned(),
            parent,
            children: BTreeMap::new(),
            named: Named::of(items),
            macros: items.iter().filter_map(exported_macro).collect(),
        });
        for item in items.iter().filter(|item| !is_test_only(item)) {
            let Item::Mod(item) = item else { continue };
            let name = item.ident.to_string();
            let child = match (&item.content, path_attribute(&item.attrs)) {
                (Some((_, items)), _) => {
                    let below = folder.join(&name);
                    self.add(file, Some(this), &below, &below, items)?
                }
                (None, Some(path)) => {
                    let path = named_from.join(path);
                    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
                    self.read_file(&path, Some(this), &folder)?
                }
                (None, None) => {
                    let below = folder.join(&name);
                    let places = [below.with_extension("rs"), below.join("mod.rs")];
                    match places.iter().find(|place| place.exists()) {
                        Some(place) => self.read_file(place, Some(this), &below)?,
                        // Made when the kernel module is built.
                        None if name.contains("generated") => continue,
                        None => bail!("'{}' has no file for mod {name}", file.display()),
                    }
                }
            };
            self.0[this].children.insert(name, child);
        }
        Ok(this)
    }

    /// All files.
    pub fn files(&self) -> BTreeSet<&Path> {
        self.0.iter().map(|module| module.file.as_path()).collect()
    }

    /// Which file uses which other.
    ///
    /// That a module names its children, or passes on what they have, is no use: it is their roof.
    pub fn edges(&self) -> BTreeSet<Edge> {
        let mut edges = BTreeSet::new();
        for (this, module) in self.0.iter().enumerate() {
            let imported = module.named.uses.iter().filter(|used| !used.is_reexport);
            let paths = imported.map(|used| &used.path).chain(&module.named.paths);
            for path in paths {
                if let Some(found) = self.resolve(this, path, DEEPEST) {
                    let (from, to) = (&module.file, &self.0[found].file);
                    if from != to {
                        edges.insert((from.clone(), to.clone()));
                    }
                }
            }
        }
        edges
    }

    /// The module that `path`, named in module `this`, leads to or has its item from.
    fn resolve(&self, this: usize, path: &[String], depth: usize) -> Option<usize> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => self.descend(0, rest, depth),
            "self" => self.descend(this, rest, depth),
            "super" => self.descend(self.0[this].parent?, rest, depth),
            // A variable may have its name.
            _ if rest.is_empty() => None,
            child => {
                let child = *self.0[this].children.get(child)?;
                self.descend(child, rest, depth)
            }
        }
    }

    fn descend(&self, this: usize, path: &[String], depth: usize) -> Option<usize> {
        let Some((first, rest)) = path.split_first() else {
            return Some(this);
        };
        let module = &self.0[this];
        if first == "super" {
            return self.descend(module.parent?, rest, depth);
        }
        if let Some(&child) = module.children.get(first) {
            return self.descend(child, rest, depth);
        }
        let depth = depth.checked_sub(1)?;
        // Declared elsewhere and passed on from here, or declared here.
        let passed_on = module
            .named
            .uses
            .iter()
            .find(|used| used.name.as_ref() == Some(first) && used.path != [first.as_str()]);
        passed_on
            .and_then(|used| self.resolve(this, &[&used.path, rest].concat(), depth))
            .or_else(|| {
                self.0
                    .iter()
                    .position(|module| this == 0 && module.macros.contains(first))
            })
            .or(Some(this))
    }
}

fn exported_macro(item: &Item) -> Option<String> {
    let Item::Macro(item) = item else { return None };
    let exported = |attribute: &Attribute| attribute.path().is_ident("macro_export");
    let name = item
        .ident
        .as_ref()
        .filter(|_| item.attrs.iter().any(exported))?;
    Some(name.to_string())
}

fn path_attribute(attributes: &[Attribute]) -> Option<String> {
    attributes
        .iter()
        .find_map(|attribute| match &attribute.meta {
            Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
                Expr::Lit(ExprLit {
                    lit: Lit::Str(path),
                    ..
                }) => Some(path.value()),
                _ => None,
            },
            _ => None,
        })
}
