// SPDX-License-Identifier: GPL-2.0

//! How guest instructions are run, and what time is to them.

use std::fs;

/// How guest instructions are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accelerator {
    Tcg,
    Kvm,
}

impl Accelerator {
    /// KVM where the processor offers it and we may use it. `/dev/kvm` alone proves nothing.
    pub fn detect() -> Self {
        let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let usable = fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open("/dev/kvm")
            .is_ok();
        if usable && offers_virtualization(&processor) {
            Self::Kvm
        } else {
            Self::Tcg
        }
    }
}

fn offers_virtualization(cpuinfo: &str) -> bool {
    let mut flags = cpuinfo.lines().filter(|line| line.starts_with("flags"));
    flags.any(|line| {
        line.split_whitespace()
            .any(|flag| flag == "vmx" || flag == "svm")
    })
}

/// What time is to the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// The host's.
    Wall,
    /// One tick an instruction: a run gives the same figures always.
    Instructions,
}

#[cfg(test)]
mod tests {
    use super::offers_virtualization;

    #[test]
    fn only_the_processors_word_counts() {
        assert!(offers_virtualization("flags\t\t: fpu vmx sse\n"));
        assert!(offers_virtualization("flags\t\t: fpu svm\n"));
        assert!(!offers_virtualization("flags\t\t: fpu vmxx\nbugs: svm\n"));
    }
}
