// SPDX-License-Identifier: GPL-2.0

//! What a kernel's configuration lacks of what xcap and the lab use.

use anyhow::{bail, Result};

/// Options of which one has to be set, and what is not to be had without.
struct Need {
    any_of: &'static [&'static str],
    without: &'static str,
    /// Nothing goes without it.
    vital: bool,
}

const fn vital(any_of: &'static [&'static str], without: &'static str) -> Need {
    Need {
        any_of,
        without,
        vital: true,
    }
}

const fn useful(any_of: &'static [&'static str], without: &'static str) -> Need {
    Need {
        any_of,
        without,
        vital: false,
    }
}

const NEEDS: [Need; 17] = [
    vital(&["RUST"], "xcap can't be built"),
    vital(&["MODULES"], "xcap can't be loaded"),
    vital(&["MODULE_UNLOAD"], "xcap can't be unloaded"),
    vital(&["DEBUG_FS"], "xcap has no files"),
    vital(&["KPROBES"], "xcap can't be built"),
    vital(&["BLK_DEV_INITRD"], "the lab's guests have no files"),
    vital(&["VIRTIO_PCI"], "the lab can't talk to guests"),
    vital(&["VIRTIO_CONSOLE"], "the lab can't talk to guests"),
    vital(&["DEVTMPFS"], "the lab can't talk to guests"),
    useful(&["PACKET"], "no frame is captured"),
    useful(&["FPROBE"], "there is no backend fprobe"),
    useful(
        &["DYNAMIC_FTRACE_WITH_DIRECT_CALLS"],
        "there is no backend direct",
    ),
    useful(
        &["DEBUG_INFO_BTF"],
        "backend direct refuses functions that are added",
    ),
    useful(&["LIVEPATCH"], "no trial beside livepatch"),
    useful(&["E1000E"], "the lab's cards are virtio"),
    useful(&["SERIAL_8250_CONSOLE"], "what a guest says last is lost"),
    useful(&["XEN_PV_DOM0", "XEN_DOM0"], "it can be no dom0"),
];

pub fn is_set(config: &str, option: &str) -> bool {
    let mut lines = config.lines();
    lines.any(|line| {
        line.strip_prefix("CONFIG_")
            .and_then(|line| line.strip_prefix(option))
            .is_some_and(|value| value == "=y" || value == "=m")
    })
}

/// A line for each thing that is lacking; an error where nothing goes without.
pub fn check(release: &str, config: &str) -> Result<Vec<String>> {
    let lacking: Vec<&Need> = NEEDS
        .iter()
        .filter(|need| !need.any_of.iter().any(|option| is_set(config, option)))
        .collect();
    let line = |need: &&Need| {
        format!(
            "kernel {release} lacks CONFIG_{}: {}",
            need.any_of[0], need.without
        )
    };
    let vital: Vec<String> = lacking.iter().filter(|need| need.vital).map(line).collect();
    if !vital.is_empty() {
        bail!("{}", vital.join("\n"));
    }
    Ok(lacking.iter().map(line).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config_without(lacking: &[&str]) -> String {
        let options = NEEDS.iter().flat_map(|need| need.any_of);
        let set = options.filter(|option| !lacking.contains(option));
        set.map(|option| format!("CONFIG_{option}=y\n")).collect()
    }

    #[test]
    fn what_is_lacking_is_said_a_line_each() {
        assert!(check("7.3", &config_without(&[])).unwrap().is_empty());
        let lines = check("7.3", &config_without(&["E1000E", "FPROBE"])).unwrap();
        assert_eq!(lines.len(), 2);
        assert!(
            lines[0].contains("kernel 7.3 lacks CONFIG_FPROBE: "),
            "{lines:?}"
        );
        let one_of_two = check("7.3", &config_without(&["XEN_DOM0"])).unwrap();
        assert!(one_of_two.is_empty(), "{one_of_two:?}");
    }

    #[test]
    fn all_that_nothing_goes_without_is_said_at_once() {
        let error = check("7.3", &config_without(&["RUST", "DEBUG_FS", "E1000E"])).unwrap_err();
        let error = error.to_string();
        assert!(
            error.contains("CONFIG_RUST: xcap can't be built"),
            "{error}"
        );
        assert!(
            error.contains("CONFIG_DEBUG_FS") && !error.contains("E1000E"),
            "{error}"
        );
    }

    #[test]
    fn an_option_is_not_another_that_begins_like_it() {
        assert!(!is_set("CONFIG_RUST_IS_AVAILABLE=y\n", "RUST"));
        assert!(is_set("CONFIG_RUST=y\n", "RUST"));
        assert!(!is_set("# CONFIG_RUST is not set\n", "RUST"));
    }
}
