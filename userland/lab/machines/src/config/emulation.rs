// SPDX-License-Identifier: GPL-2.0

//! How guest instructions are run, and what time is to them.

use procfs::{CpuInfo, Current};
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
        let processor = CpuInfo::current();
        let usable = fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open("/dev/kvm")
            .is_ok();
        if usable && processor.is_ok_and(|processor| offers_virtualization(&processor)) {
            Self::Kvm
        } else {
            Self::Tcg
        }
    }
}

fn offers_virtualization(processor: &CpuInfo) -> bool {
    let flags = processor.flags(0).unwrap_or_default();
    flags.iter().any(|&flag| flag == "vmx" || flag == "svm")
}

/// What time is to the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Clock {
    /// Counts instructions, one a nanosecond: not the host's business
    Instructions,
    /// The host's clock
    Wall,
}

#[cfg(test)]
mod tests {
    use super::*;
    use procfs::FromBufRead;

    #[test]
    fn only_the_processors_word_counts() {
        let offers = |text: &str| {
            let processor = CpuInfo::from_buf_read(text.as_bytes());
            offers_virtualization(&processor.expect("it is as the kernel prints it"))
        };
        assert!(offers("processor\t: 0\nflags\t\t: fpu vmx sse\n\n"));
        assert!(offers("processor\t: 0\nflags\t\t: fpu svm\n\n"));
        assert!(!offers(
            "processor\t: 0\nflags\t\t: fpu vmxx\nbugs\t\t: svm\n\n"
        ));
    }
}
