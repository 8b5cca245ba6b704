// SPDX-License-Identifier: GPL-2.0

//! The texts in a file's code: neither in its docs nor in its tests.

use proc_macro2::{Literal, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, Lit, LitCStr, LitStr, Macro};

use crate::test_only::is_test_only;

/// A text, and the line that it is on.
#[derive(Debug, PartialEq, Eq)]
pub struct Text {
    pub line: usize,
    pub text: String,
}

/// All texts in the code `source`.
pub fn texts(source: &str) -> syn::Result<Vec<Text>> {
    let mut texts = Texts(Vec::new());
    texts.visit_file(&syn::parse_file(source)?);
    Ok(texts.0)
}

struct Texts(Vec<Text>);

impl Texts {
    fn str(&mut self, text: &LitStr) {
        self.0.push(Text {
            line: text.span().start().line,
            text: text.value(),
        });
    }

    fn c_str(&mut self, text: &LitCStr) {
        self.0.push(Text {
            line: text.span().start().line,
            text: text.value().to_string_lossy().into_owned(),
        });
    }

    fn token(&mut self, literal: Literal) {
        match Lit::new(literal) {
            Lit::Str(text) => self.str(&text),
            Lit::CStr(text) => self.c_str(&text),
            _ => {}
        }
    }

    fn tokens(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Literal(literal) => self.token(literal),
                _ => {}
            }
        }
    }
}

impl<'ast> Visit<'ast> for Texts {
    fn visit_attribute(&mut self, _: &'ast Attribute) {}

    fn visit_item(&mut self, item: &'ast Item) {
        if !is_test_only(item) {
            visit::visit_item(self, item);
        }
    }

    fn visit_lit_str(&mut self, text: &'ast LitStr) {
        self.str(text);
    }

    fn visit_lit_cstr(&mut self, text: &'ast LitCStr) {
        self.c_str(text);
    }

    fn visit_macro(&mut self, item: &'ast Macro) {
        self.tokens(item.tokens.clone());
    }
}
