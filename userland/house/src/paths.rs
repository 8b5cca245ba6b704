// SPDX-License-Identifier: GPL-2.0

//! The paths that a piece of source names, within macros as well.

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemMod, ItemUse, Macro, Path, UseTree, Visibility};

use crate::test_only::is_test_only;

/// A path, by its segments.
pub type Segments = Vec<String>;

/// What stands in a module, less its modules.
#[derive(Debug, Default)]
pub struct Named {
    /// Paths of expressions, types and patterns.
    pub paths: Vec<Segments>,
    /// What is imported.
    pub uses: Vec<Use>,
}

/// A name that `use` brings.
#[derive(Debug)]
pub struct Use {
    /// What it is called here; none: `*`, all that there is.
    pub name: Option<String>,
    pub path: Segments,
    /// Whether others may take it from here.
    pub is_reexport: bool,
}

impl Named {
    /// What `items` name; modules among them speak for themselves.
    pub fn of(items: &[Item]) -> Self {
        let mut named = Self::default();
        for item in items.iter().filter(|item| !is_test_only(item)) {
            named.visit_item(item);
        }
        named
    }

    fn import(&mut self, tree: &UseTree, mut path: Segments, is_reexport: bool) {
        match tree {
            UseTree::Path(tree) => {
                path.push(tree.ident.to_string());
                self.import(&tree.tree, path, is_reexport);
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(tree, path.clone(), is_reexport);
                }
            }
            UseTree::Glob(_) => self.bring(None, path, is_reexport),
            UseTree::Name(name) if name.ident == "self" => {
                let name = path.last().cloned();
                self.bring(name, path, is_reexport);
            }
            UseTree::Name(name) => {
                path.push(name.ident.to_string());
                self.bring(Some(name.ident.to_string()), path, is_reexport);
            }
            UseTree::Rename(rename) => {
                if rename.ident != "self" {
                    path.push(rename.ident.to_string());
                }
                self.bring(Some(rename.rename.to_string()), path, is_reexport);
            }
        }
    }

    fn bring(&mut self, name: Option<String>, path: Segments, is_reexport: bool) {
        self.uses.push(Use {
            name,
            path,
            is_reexport,
        });
    }

    /// Paths in a macro's arguments, whatever the macro makes of them.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path = Segments::new();
        let mut colons = 0;
        let mut end = |path: &mut Segments| {
            if path.len() > 1 {
                self.paths.push(std::mem::take(path));
            }
            path.clear();
        };
        let mut groups = Vec::new();
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        end(&mut path);
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                other => {
                    end(&mut path);
                    colons = 0;
                    if let TokenTree::Group(group) = other {
                        groups.push(group.stream());
                    }
                }
            }
        }
        end(&mut path);
        for group in groups {
            self.tokens(group);
        }
    }
}

impl<'ast> Visit<'ast> for Named {
    fn visit_item_mod(&mut self, _: &'ast ItemMod) {}

    fn visit_attribute(&mut self, _: &'ast Attribute) {}

    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let is_reexport = !matches!(item.vis, Visibility::Inherited);
        self.import(&item.tree, Segments::new(), is_reexport);
    }

    fn visit_path(&mut self, path: &'ast Path) {
        let segments = path.segments.iter();
        self.paths
            .push(segments.map(|segment| segment.ident.to_string()).collect());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast Macro) {
        self.tokens(item.tokens.clone());
        visit::visit_macro(self, item);
    }
}
