// SPDX-License-Identifier: GPL-2.0

//! The packages of a lab's own materials, in a repository that nobody has to trust.

use crate::cache::Cache;
use crate::materials::{source_tree, Materials};
use crate::package::debs::Builder;
use crate::package::keys::Keys;
use crate::package::repository;
use crate::package::root;
use crate::package::version::Version;
use crate::provide::root::Root;
use anyhow::{Context, Result};
use std::path::Path;

/// The cache's own keys.
pub fn keys(cache: &Cache, tools: &Root) -> Result<Keys> {
    Keys::ensure(tools, &cache.path("keys"))
}

/// Makes a repository at `place` of the packages for the lab's kernel, and of those of `suite` that the folder `work` has
/// from before.
pub fn repository(materials: &Materials, suite: &str, work: &Path, place: &Path) -> Result<()> {
    let Materials { cache, kernel, .. } = materials;
    let tools = root(cache)?;
    let keys = keys(cache, &tools)?;
    let builder = Builder {
        cache,
        root: &tools,
        keys: &keys,
        version: Version::released(),
    };
    let module = materials.module.as_deref();
    let module = module.context("a lab has its module")?;
    let made = builder.build(&source_tree()?, kernel, module)?;
    let dist = work.join("dist");
    repository::put(&made, &dist, suite)?;
    repository::make(&tools, &keys, &dist, place)?;
    Ok(())
}
