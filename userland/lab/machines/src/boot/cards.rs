// SPDX-License-Identifier: GPL-2.0

//! Cards that the kernel has drivers for.

use crate::config::{Config, CARD};
use crate::provide::lacks::is_set;

/// Every kernel that runs in virtual machines has its driver.
const OTHER: &str = "virtio-net-pci";

/// The configuration as a kernel of the options `kernel` can have it: the usual card gives way to one that there is a
/// driver for.
pub fn fitted(config: &Config, kernel: &str) -> Config {
    let mut fitted = config.clone();
    if !is_set(kernel, "E1000E") {
        for card in [&mut fitted.nic, &mut fitted.sender_nic] {
            if card == CARD {
                OTHER.clone_into(card);
            }
        }
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
}
