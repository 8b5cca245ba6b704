// SPDX-License-Identifier: GPL-2.0

//! The places at which an operation can fail, told apart by how the kernel comes to them.
//!
//! There are thousands, most of them the same over and over: a page of many, an entry of a hash, a function of a list.
//! So what an operation meets is traced once without a failure, and of the places that share a call stack one fails
//! first, then, in later turns, the others.

use crate::guest::files;
use anyhow::{Context, Result};
use fastrand::Rng;
use std::collections::HashMap;
use std::fs;

const MODULE: &str = "/lab/targets/xcap_places.ko";
const FOLDER: &str = "/sys/kernel/debug/xcap_places";

/// For each place the number of its call stack.
pub type Stacks = Vec<u32>;

/// Notes what the calling thread comes to while `fail-nth` is set.
pub struct Survey(());

impl Survey {
    pub fn new() -> Result<Self> {
        files::load_once("xcap_places", MODULE)?;
        let thread = fs::read_link("/proc/thread-self")?;
        let thread = thread.file_name().context("this thread has no number")?;
        write("thread", &thread.to_string_lossy())?;
        Ok(Self(()))
    }

    /// What `act` came to, and what reads `fail-nth` after it.
    pub fn of<T>(&self, act: impl FnOnce() -> Result<T>) -> Result<(T, Stacks)> {
        write("count", "0")?;
        let result = act()?;
        let text = fs::read_to_string(format!("{FOLDER}/stacks"))?;
        let numbers = text.split_whitespace().map(str::parse);
        Ok((result, numbers.collect::<Result<_, _>>()?))
    }
}

fn write(file: &str, text: &str) -> Result<()> {
    let path = format!("{FOLDER}/{file}");
    fs::write(&path, text).with_context(|| format!("'{text}' into {path}"))
}

/// Numbers of places, from 1: one of each stack, then another of each that has more, and so on; which is at random.
pub fn in_turns(stacks: &[u32], rng: &mut Rng) -> Vec<u64> {
    let mut places: Vec<usize> = (0..stacks.len()).collect();
    rng.shuffle(&mut places);
    let mut turns = HashMap::new();
    let mut ordered: Vec<(usize, usize)> = places
        .into_iter()
        .map(|place| {
            let turn = turns.entry(stacks[place]).or_insert(0);
            *turn += 1;
            (*turn, place)
        })
        .collect();
    ordered.sort_by_key(|&(turn, _)| turn);
    ordered
        .into_iter()
        .map(|(_, place)| place as u64 + 1)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stack_has_its_turn_before_one_has_another() {
        let stacks = [0, 0, 0, 1, 0, 2, 1];
        let order = in_turns(&stacks, &mut Rng::with_seed(1));
        let of = |places: &[u64]| {
            let mut of: Vec<u32> = places.iter().map(|&p| stacks[p as usize - 1]).collect();
            of.sort_unstable();
            of
        };
        assert_eq!(of(&order[..3]), [0, 1, 2]);
        assert_eq!(of(&order[3..5]), [0, 1]);
        let mut all = order;
        all.sort_unstable();
        assert_eq!(all, [1, 2, 3, 4, 5, 6, 7]);
    }
}
