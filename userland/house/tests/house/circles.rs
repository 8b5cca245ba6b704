// SPDX-License-Identifier: GPL-2.0

//! No files use one another: each can be read with what it uses, and without what uses it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use xcap_house::circles::{circles, Circle};
use xcap_house::crates::{all, source_tree};
use xcap_house::modules::Modules;

/// A file's name for people: its own, or its folder's.
fn short(file: &Path) -> String {
    let name = file.with_extension("");
    let name = if name.ends_with("mod") {
        name.parent().unwrap_or(&name)
    } else {
        &name
    };
    name.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into()
}

fn names(circle: &Circle) -> BTreeSet<String> {
    circle.files.iter().map(|file| short(file)).collect()
}

fn told(krate: &str, circle: &Circle) -> String {
    let below = |file: &Path| {
        let file = file.strip_prefix(source_tree()).unwrap_or(file);
        file.display().to_string()
    };
    let mut told = format!("{krate}: {:?}\n", names(circle));
    for (from, to) in &circle.edges {
        told += &format!("  {} uses {}\n", below(from), below(to));
    }
    told
}

#[test]
fn no_files_use_one_another() {
    let mut found = String::new();
    for krate in all().expect("cargo knows its crates") {
        let modules = Modules::read(&krate.root).expect("it compiles");
        for circle in circles(&modules.edges()) {
            found += &told(&krate.name, &circle);
        }
    }
    assert!(
        found.is_empty(),
        "files that use one another: move what both need to a third\n{found}"
    );
}

/// The circles of a crate of these files, by the files' names.
fn circles_of(files: &[(&str, &str)]) -> Vec<Vec<String>> {
    let folder = tempfile::tempdir().expect("there is room");
    for (name, text) in files {
        let file: PathBuf = folder.path().join(name);
        fs::create_dir_all(file.parent().expect("it is in the folder")).expect("there is room");
        fs::write(file, text).expect("there is room");
    }
    let modules = Modules::read(&folder.path().join(files[0].0)).expect("it is Rust");
    let circles = circles(&modules.edges());
    circles
        .iter()
        .map(|circle| names(circle).into_iter().collect())
        .collect()
}

const ROOT: (&str, &str) = ("lib.rs", "mod a; mod b; mod c; pub use b::B;");

#[test]
fn a_line_is_no_circle() {
    let a = ("a.rs", "use crate::b::B; pub struct A(B);");
    let b = ("b.rs", "use super::c; pub struct B(c::C);");
    assert!(circles_of(&[ROOT, a, b, ("c.rs", "pub struct C;")]).is_empty());
}

#[test]
fn a_circle_is_seen_however_it_is_written() {
    let a = ("a.rs", "use crate::{b, c}; pub struct A(b::B, c::C);");
    let ways = [
        "use crate::a::A;",
        "use super::a;",
        "use super::{a as other, c};",
        "pub use crate::a::A;\nfn f(_: crate::a::A) {}",
        "fn f() { crate::a::g() }",
        "fn f() { println!(\"{}\", crate::a::G) }",
        "mod within { use super::super::a::A; }",
    ];
    for way in ways {
        let b = ("b.rs", way);
        let found = circles_of(&[ROOT, a, b, ("c.rs", "pub struct C;")]);
        assert_eq!(found, [["a", "b"]], "{way}");
    }
}

#[test]
fn a_circle_over_the_roof_is_one_of_who_is_under_it() {
    let a = ("a.rs", "use crate::B; pub struct A;");
    let b = ("b.rs", "use crate::a::A; pub struct B;");
    assert_eq!(circles_of(&[ROOT, a, b, ("c.rs", "")]), [["a", "b"]]);
}

#[test]
fn a_circle_of_three_is_one() {
    let a = ("a.rs", "use crate::b;");
    let b = ("b.rs", "use crate::c;");
    let c = ("c.rs", "use crate::a;");
    assert_eq!(circles_of(&[ROOT, a, b, c]), [["a", "b", "c"]]);
}

#[test]
fn tests_may_look_at_what_uses_them() {
    let a = ("a.rs", "use crate::b;");
    let b = ("b.rs", "#[cfg(test)] mod tests { use crate::a; }");
    assert!(circles_of(&[ROOT, a, b, ("c.rs", "")]).is_empty());
}

#[test]
fn a_macro_is_where_it_is_declared() {
    let a = (
        "a.rs",
        "#[macro_export] macro_rules! m { () => {} } use crate::b;",
    );
    let user = "crate::m!();";
    assert!(circles_of(&[ROOT, a, ("b.rs", ""), ("c.rs", user)]).is_empty());
    assert_eq!(
        circles_of(&[ROOT, a, ("b.rs", user), ("c.rs", "")]),
        [["a", "b"]]
    );
}
