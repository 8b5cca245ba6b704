// SPDX-License-Identifier: GPL-2.0

//! Which processor this is.

use anyhow::{Context, Result};
use std::arch::x86_64::_rdtsc;
use std::fs;
use std::time::{Duration, Instant};

pub struct Machine {
    model: String,
    family: String,
    number: String,
    pub is_virtual: bool,
    /// The kernel's word on the mitigation that replaces returns.
    pub returns: Option<String>,
}

/// The value of `key` in the first paragraph of /proc/cpuinfo.
fn value<'a>(text: &'a str, key: &str) -> &'a str {
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.trim() == key)
        .map_or("", |(_, value)| value.trim())
}

fn parse(text: &str) -> Machine {
    Machine {
        model: value(text, "model name").to_owned(),
        family: value(text, "cpu family").to_owned(),
        number: value(text, "model").to_owned(),
        is_virtual: value(text, "flags")
            .split(' ')
            .any(|flag| flag == "hypervisor"),
        returns: None,
    }
}

pub fn here() -> Result<Machine> {
    const PATH: &str = "/proc/cpuinfo";
    let text = fs::read_to_string(PATH).with_context(|| format!("cannot read {PATH}"))?;
    let mitigation = "/sys/devices/system/cpu/vulnerabilities/spec_rstack_overflow";
    Ok(Machine {
        returns: fs::read_to_string(mitigation)
            .ok()
            .map(|text| text.trim().to_owned()),
        ..parse(&text)
    })
}

impl Machine {
    pub fn name(&self) -> String {
        let what = if self.is_virtual {
            ", in a virtual machine"
        } else {
            ""
        };
        format!(
            "{} (family {}, model {}){what}",
            self.model, self.family, self.number
        )
    }
}

/// How fast the clock ticks, to a per mille.
pub fn tsc_khz() -> u64 {
    let time = Instant::now();
    // SAFETY: Every x86-64 has a TSC.
    let begin = unsafe { _rdtsc() };
    while time.elapsed() < Duration::from_millis(20) {
        std::hint::spin_loop();
    }
    // SAFETY: As above.
    let ticks = unsafe { _rdtsc() }.wrapping_sub(begin);
    (ticks as f64 / time.elapsed().as_secs_f64() / 1e3).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_processor_has_its_name_and_says_whose_it_is() {
        let text = "processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: 17\n\
                    model name\t: AMD EPYC\nflags\t\t: fpu hypervisor bmi2\n";
        assert_eq!(
            parse(text).name(),
            "AMD EPYC (family 25, model 17), in a virtual machine"
        );
        let bare = text.replace(" hypervisor", "");
        assert_eq!(parse(&bare).name(), "AMD EPYC (family 25, model 17)");
    }
}
