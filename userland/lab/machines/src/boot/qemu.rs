// SPDX-License-Identifier: GPL-2.0

//! QEMU's command line.

use crate::boot::hardware::{Cable, Hardware, Software};
use crate::config::emulation::{Accelerator, Clock};
use crate::config::firmware::Firmware;
use std::os::fd::{AsRawFd, RawFd};
use std::path::Path;

/// The arguments for a machine, whose serial line goes to the file `console`, and its agent's port to the descriptor
/// `agent`.
pub fn arguments(
    hardware: &Hardware,
    software: &Software,
    console: &Path,
    agent: RawFd,
) -> Vec<String> {
    let mut arguments = words(["-nodefaults", "-display", "none", "-no-reboot"]);
    arguments.extend(words(["-machine", "q35"]));
    arguments.extend(processor(hardware));
    arguments.extend(words([
        "-smp",
        &hardware.cpus.to_string(),
        "-m",
        &hardware.memory_mib.to_string(),
    ]));
    arguments.extend(words(["-serial", &format!("file:{}", console.display())]));
    arguments.extend(port(agent));
    arguments.extend(network(hardware));
    if let Some(disk) = hardware.disk {
        let disk = format!("file={},if=virtio,format=raw,snapshot=on", disk.display());
        for _ in 0..hardware.disks {
            arguments.extend(words(["-drive", &disk]));
        }
    }
    if let Some(firmware) = hardware.firmware {
        arguments.extend(secure(firmware));
    }
    if let Some(plugin) = hardware.plugin {
        arguments.extend(words(["-plugin", &plugin.option()]));
    }
    arguments.extend(words(["-kernel", &software.kernel.display().to_string()]));
    arguments.extend(words(["-initrd", &software.initrd]));
    arguments.extend(words(["-append", &software.append]));
    arguments
}

/// Its variables are written by the firmware alone: by what runs in system management mode.
fn secure(firmware: &Firmware) -> Vec<String> {
    let flash = |unit, file: &Path, mode| {
        format!(
            "if=pflash,unit={unit},format=raw,{mode}=on,file={}",
            file.display()
        )
    };
    words([
        "-global",
        "driver=cfi.pflash01,property=secure,value=on",
        "-drive",
        &flash(0, &firmware.code, "readonly"),
        "-drive",
        &flash(1, &firmware.variables, "snapshot"),
    ])
}

fn words<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(str::to_owned).to_vec()
}

/// What runs instructions, and what time is to them.
fn processor(hardware: &Hardware) -> Vec<String> {
    let cpu = |default| hardware.cpu.unwrap_or(default);
    match (hardware.clock, hardware.accelerator) {
        (Clock::Instructions, _) => {
            let mut options = words(["-accel", "tcg", "-cpu", cpu("max"), "-seed", "1"]);
            options.extend(words(["-icount", "shift=0,sleep=off"]));
            options.extend(words(["-rtc", "base=2026-01-01,clock=vm"]));
            options
        }
        (Clock::Wall, Accelerator::Tcg) => {
            let threads = if hardware.cpus_in_turn {
                "single"
            } else {
                "multi"
            };
            let accelerator = format!("tcg,thread={threads}");
            words(["-accel", &accelerator, "-cpu", cpu("max")])
        }
        (Clock::Wall, Accelerator::Kvm) => words(["-accel", "kvm", "-cpu", cpu("host")]),
    }
}

fn port(agent: RawFd) -> Vec<String> {
    let mut options = words(["-chardev", &format!("socket,id=agent,fd={agent}")]);
    options.extend(words(["-device", "virtio-serial-pci,romfile="]));
    options.extend(words(["-device", "virtserialport,chardev=agent"]));
    options
}

fn network(hardware: &Hardware) -> Vec<String> {
    let cable = match &hardware.cable {
        Cable::Unplugged | Cable::Wire(_) => "hubport,id=cable,hubid=0".to_owned(),
        Cable::To(end) => {
            let end = end.as_raw_fd();
            format!("stream,id=cable,server=off,addr.type=fd,addr.str={end}")
        }
    };
    let (nic, mac) = (hardware.nic, hardware.mac);
    let card = format!("{nic},netdev=cable,mac={mac},romfile=");
    let mut options = words(["-netdev", &cable, "-device", &card]);
    if let Cable::Wire(plugged) = &hardware.cable {
        options.extend(words(["-plugin", &plugged.option()]));
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::place::Place;

    fn line(hardware: &Hardware) -> String {
        let software = Software {
            kernel: Path::new("/vmlinuz"),
            initrd: "/bare.cpio".to_owned(),
            append: "quiet".to_owned(),
        };
        arguments(hardware, &software, Path::new("/log"), 5).join(" ")
    }

    #[test]
    fn a_clock_of_instructions_takes_one_cpu_and_no_host_s_time() {
        let config = Config::default();
        let line = line(&Hardware::deterministic(&config));
        for option in [
            "-icount shift=0,sleep=off",
            "-rtc base=2026-01-01,clock=vm",
            "-smp 1",
        ] {
            assert!(line.contains(option), "{option} in {line}");
        }
        assert!(line.ends_with("-kernel /vmlinuz -initrd /bare.cpio -append quiet"));
    }

    #[test]
    fn cpus_are_emulated_in_turn_where_that_is_asked_for() {
        let mut config = Config {
            accelerator: Accelerator::Tcg,
            cpu: Some("Haswell".to_owned()),
            ..Config::default()
        };
        let of = |config: &Config| line(&Hardware::of_linux(config, Place::Bare, Cable::Unplugged));
        assert!(of(&config).contains("-accel tcg,thread=multi -cpu Haswell"));
        config.cpus_in_turn = true;
        assert!(of(&config).contains("-accel tcg,thread=single -cpu Haswell"));
    }

    #[test]
    fn the_sender_has_its_own_card_and_any_processor() {
        let config = Config {
            nic: "virtio-net-pci".to_owned(),
            cpu: Some("Haswell".to_owned()),
            ..Config::default()
        };
        let line = line(&Hardware::of_linux(
            &config,
            Place::Sender,
            Cable::Unplugged,
        ));
        assert!(
            line.contains("e1000e,netdev=cable,mac=52:54:00:00:00:01"),
            "{line}"
        );
        assert!(!line.contains("Haswell"), "{line}");
    }
}
