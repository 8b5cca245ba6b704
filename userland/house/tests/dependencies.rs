// SPDX-License-Identifier: GPL-2.0

//! What is linked into xcap is what `userland/deny.toml` allows.
//!
//! cargo-deny says the same and more; building it takes minutes, and a new machine hasn't got it.

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, PackageId};
use serde::Deserialize;
use spdx::{Expression, LicenseReq, ParseMode};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

/// What is used here of the policy; another key is an error, lest it be thought to be held.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Policy {
    graph: Graph,
    licenses: Licenses,
    bans: Bans,
    sources: Sources,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Graph {
    targets: [String; 1],
    all_features: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Licenses {
    allow: BTreeSet<String>,
    #[serde(default)]
    exceptions: Vec<Exception>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Exception {
    #[serde(rename = "crate")]
    name: String,
    allow: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Bans {
    multiple_versions: Deny,
    wildcards: Deny,
    allow_wildcard_paths: bool,
    skip: Vec<Skip>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Skip {
    /// `NAME@VERSION`
    #[serde(rename = "crate")]
    spec: String,
    #[expect(dead_code, reason = "for people")]
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Sources {
    unknown_registry: Deny,
    unknown_git: Deny,
}

/// The one degree of severity that is known here.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Deny {
    Deny,
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn policy() -> Policy {
    let path = workspace().join("deny.toml");
    let text = std::fs::read_to_string(&path).expect("the policy can be read");
    let policy: Policy = toml::from_str(&text).expect("the policy has known keys only");
    let Deny::Deny = policy.bans.multiple_versions;
    let Deny::Deny = policy.bans.wildcards;
    let Deny::Deny = policy.sources.unknown_registry;
    let Deny::Deny = policy.sources.unknown_git;
    assert!(policy.graph.all_features && policy.bans.allow_wildcard_paths);
    policy
}

fn metadata(policy: &Policy) -> Metadata {
    let [target] = &policy.graph.targets;
    let options = [
        "--locked",
        "--offline",
        "--all-features",
        "--filter-platform",
        target,
    ];
    let mut command = MetadataCommand::new();
    command.manifest_path(workspace().join("Cargo.toml"));
    command.other_options(options.map(str::to_owned));
    command.exec().expect("cargo knows the workspace")
}

/// All that is linked into xcap's programs or runs when they are built; not what only tests take.
fn linked(metadata: &Metadata) -> Vec<&Package> {
    let graph = metadata.resolve.as_ref().expect("--no-deps isn't given");
    let nodes: HashMap<_, _> = graph.nodes.iter().map(|node| (&node.id, node)).collect();
    let mut wanted: Vec<&PackageId> = metadata.workspace_members.iter().collect();
    let mut seen = BTreeSet::new();
    while let Some(id) = wanted.pop() {
        if seen.insert(id) {
            let linked = nodes[id].deps.iter().filter(|dependency| {
                let mut kinds = dependency.dep_kinds.iter();
                kinds.any(|kind| kind.kind != DependencyKind::Development)
            });
            wanted.extend(linked.map(|dependency| &dependency.pkg));
        }
    }
    seen.into_iter().map(|id| &metadata[id]).collect()
}

/// Whether `package` may be linked by one of the licences `allowed`, or by its exception.
fn is_licensed(package: &Package, licenses: &Licenses) -> bool {
    let exception = licenses
        .exceptions
        .iter()
        .find(|one| one.name == package.name);
    let is_allowed = |requirement: &LicenseReq| {
        let name = requirement.to_string();
        licenses.allow.contains(&name) || exception.is_some_and(|one| one.allow.contains(&name))
    };
    let license = package.license.as_deref().unwrap_or_default();
    let expression = Expression::parse_mode(license, ParseMode::LAX);
    expression.is_ok_and(|expression| expression.evaluate(is_allowed))
}

#[test]
fn what_is_linked_has_a_licence_that_goes_with_ours() {
    let policy = policy();
    let metadata = metadata(&policy);
    let linked = linked(&metadata);
    assert!(linked.len() > metadata.workspace_members.len());
    let refused: Vec<String> = linked
        .iter()
        .filter(|package| !is_licensed(package, &policy.licenses))
        .map(|package| {
            format!(
                "{} {}: {:?}",
                package.name, package.version, package.license
            )
        })
        .collect();
    assert!(refused.is_empty(), "not allowed by deny.toml: {refused:#?}");
}

#[test]
fn crates_come_from_crates_io_or_from_this_tree() {
    let metadata = metadata(&policy());
    let (ours, others): (Vec<_>, Vec<_>) = metadata
        .packages
        .iter()
        .partition(|package| package.source.is_none());
    let top = workspace().canonicalize().expect("we are in it");
    let top = top.parent().expect("the tree has a top");
    for package in ours {
        assert!(
            package.manifest_path.starts_with(top),
            "{} is elsewhere",
            package.name
        );
        for wanted in package
            .dependencies
            .iter()
            .filter(|wanted| wanted.path.is_none())
        {
            let any_version = wanted.req.to_string() == "*";
            assert!(
                !any_version,
                "{} wants any version of {}",
                package.name, wanted.name
            );
        }
    }
    let is_foreign =
        |package: &&Package| !package.source.as_ref().is_some_and(|s| s.is_crates_io());
    let foreign: Vec<&str> = others
        .into_iter()
        .filter(is_foreign)
        .map(|package| package.name.as_str())
        .collect();
    assert!(foreign.is_empty(), "not from crates.io: {foreign:?}");
}

#[test]
fn a_crate_is_linked_in_one_version() {
    let policy = policy();
    let is_skipped = |package: &Package| {
        let specs = policy
            .bans
            .skip
            .iter()
            .filter_map(|skip| skip.spec.split_once('@'));
        let version = format!("{}.", package.version);
        specs
            .filter(|(name, _)| *name == package.name.as_str())
            .any(|(_, wanted)| version.starts_with(&format!("{wanted}.")))
    };
    let metadata = metadata(&policy);
    let mut versions: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for package in linked(&metadata)
        .into_iter()
        .filter(|package| !is_skipped(package))
    {
        versions
            .entry(&package.name)
            .or_default()
            .push(package.version.to_string());
    }
    versions.retain(|_, versions| versions.len() > 1);
    assert!(
        versions.is_empty(),
        "several versions, and none in deny.toml's skip: {versions:?}"
    );
}
