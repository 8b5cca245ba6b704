// SPDX-License-Identifier: GPL-2.0

//! Debian's packages of xcap: built, signed, and put into a repository.

pub mod debs;
pub mod keys;
pub mod made;
pub mod repository;
pub mod secure_boot;
pub mod signature;
pub mod source;
pub mod version;

use crate::cache::Cache;
use crate::provide::root::{package_list, Recipe, Root};
use anyhow::Result;

const PACKAGES: &str = include_str!("../../packages/packaging");
const SUITE: &str = "trixie";

/// The root that packages are made in, whatever kernel they are for.
pub fn root(cache: &Cache) -> Result<Root> {
    let recipe = Recipe {
        suites: &[SUITE.to_owned()],
        packages: &package_list(PACKAGES),
    };
    Root::ensure(cache, "packaging", &recipe)
}
