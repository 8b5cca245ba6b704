// SPDX-License-Identifier: GPL-2.0

//! Files that use one another.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use petgraph::algo::tarjan_scc;
use petgraph::graph::DiGraph;

use crate::modules::Edge;

/// Files each of which uses, through others or at once, each other one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Circle {
    pub files: BTreeSet<PathBuf>,
    /// Which of them uses which.
    pub edges: BTreeSet<Edge>,
}

/// The circles among `edges`, none of which has a part in another.
pub fn circles(edges: &BTreeSet<Edge>) -> Vec<Circle> {
    let mut graph = DiGraph::<&Path, ()>::new();
    let mut nodes = BTreeMap::new();
    for (from, to) in edges {
        let mut node = |file| *nodes.entry(file).or_insert_with(|| graph.add_node(file));
        let (from, to) = (node(from.as_path()), node(to.as_path()));
        graph.add_edge(from, to, ());
    }
    let components = tarjan_scc(&graph);
    let mut circles: Vec<_> = components
        .iter()
        .filter(|component| component.len() > 1)
        .map(|component| {
            let files: BTreeSet<_> = component
                .iter()
                .map(|&node| graph[node].to_owned())
                .collect();
            let within = |(from, to): &&Edge| files.contains(from) && files.contains(to);
            let edges = edges.iter().filter(within).cloned().collect();
            Circle { files, edges }
        })
        .collect();
    circles.sort();
    circles
}
