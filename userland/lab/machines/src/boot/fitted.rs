// SPDX-License-Identifier: GPL-2.0

//! Machines that the kernel can run on.

use crate::config::{Config, CARD};
use crate::provide::lacks::is_set;

/// Every kernel that runs in virtual machines has its driver.
const OTHER: &str = "virtio-net-pci";

/// KASAN reports the kernel's own early code under five levels of page tables, and where it is moved.
const KASAN_CPU: &str = "max,-la57";
const KASAN_APPEND: &str = "nokaslr";

/// An eighth of it is KASAN's own, and what was freed isn't free for long.
const KASAN_MEMORY_MIB: u32 = 2048;

/// The configuration as a kernel of the options `kernel` can have it: the usual card gives way to one that there is a
/// driver for, and KASAN has what it needs.
pub fn fitted(config: &Config, kernel: &str) -> Config {
    let mut fitted = config.clone();
    if !is_set(kernel, "E1000E") {
        for card in [&mut fitted.nic, &mut fitted.sender_nic] {
            if card == CARD {
                OTHER.clone_into(card);
            }
        }
    }
    if is_set(kernel, "KASAN") {
        fitted.cpu.get_or_insert_with(|| KASAN_CPU.to_owned());
        fitted.append = format!("{KASAN_APPEND} {}", config.append);
        fitted.memory_mib = config.memory_mib.max(KASAN_MEMORY_MIB);
    }
    fitted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_without_the_driver_gets_another_card() {
        let cards = |config: &Config, kernel| {
            let fitted = fitted(config, kernel);
            (fitted.nic, fitted.sender_nic)
        };
        let usual = Config::bare();
        assert_eq!(
            cards(&usual, "CONFIG_E1000E=m\n"),
            (CARD.into(), CARD.into())
        );
        assert_eq!(cards(&usual, ""), (OTHER.into(), OTHER.into()));
        let chosen = Config {
            nic: "igb".to_owned(),
            ..Config::bare()
        };
        assert_eq!(cards(&chosen, "").0, "igb");
    }

    #[test]
    fn kasan_gets_the_machine_that_it_needs() {
        let config = Config::bare();
        assert_eq!(fitted(&config, "").cpu, None);
        let fitted = fitted(&config, "CONFIG_KASAN=y\n");
        assert_eq!(fitted.cpu.as_deref(), Some("max,-la57"));
        assert!(fitted.append.contains("nokaslr") && fitted.memory_mib > config.memory_mib);
    }
}
