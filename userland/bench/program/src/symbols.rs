// SPDX-License-Identifier: GPL-2.0

//! Names of the running kernel's addresses.

use anyhow::{Context, Result};
use std::fs;

/// Addresses above are the kernel's.
const KERNEL: u64 = 1 << 63;

/// For each address the symbol that it is in, with its module's name if it has one.
pub fn names(addresses: &[u64]) -> Result<Vec<String>> {
    if addresses.is_empty() {
        return Ok(Vec::new());
    }
    let table = fs::read_to_string("/proc/kallsyms").context("cannot read /proc/kallsyms")?;
    let symbols = Symbols::parse(&table);
    Ok(addresses.iter().map(|&at| symbols.name(at)).collect())
}

struct Symbols<'a>(Vec<(u64, String, Option<&'a str>)>);

impl<'a> Symbols<'a> {
    fn parse(table: &'a str) -> Self {
        let symbol = |line: &'a str| {
            let mut words = line.split_whitespace();
            let address = u64::from_str_radix(words.next()?, 16).ok()?;
            let name = words.nth(1)?.to_owned();
            Some((address, name, words.next()))
        };
        let mut symbols: Vec<_> = table.lines().filter_map(symbol).collect();
        symbols.sort_by_key(|(address, ..)| *address);
        Self(symbols)
    }

    fn name(&self, address: u64) -> String {
        if address < KERNEL {
            return "user mode".to_owned();
        }
        let after = self.0.partition_point(|(begin, ..)| *begin <= address);
        match after.checked_sub(1).and_then(|index| self.0.get(index)) {
            None => format!("{address:#x}"),
            Some((_, name, None)) => name.clone(),
            Some((_, name, Some(module))) => format!("{name} {module}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_belongs_to_the_symbol_before_it() {
        let symbols = Symbols::parse(
            "ffffffff82000000 D data\nffffffff81000000 T first\nffffffffc0000000 t enter\t[xcap]\n",
        );
        assert_eq!(symbols.name(0xffff_ffff_8100_0000), "first");
        assert_eq!(symbols.name(0xffff_ffff_81ff_ffff), "first");
        assert_eq!(symbols.name(0xffff_ffff_c000_0010), "enter [xcap]");
        assert_eq!(symbols.name(0xffff_ffff_8000_0000), "0xffffffff80000000");
        assert_eq!(symbols.name(0x401000), "user mode");
    }
}
