// SPDX-License-Identifier: GPL-2.0

//! Why there is no `stats` to read, and what to do.

use nix::sys::statfs::{statfs, DEBUGFS_MAGIC};
use nix::unistd::geteuid;
use xcap_abi::paths::{DEBUGFS, DIRECTORY};

use crate::host::Host;
use crate::kernel::unfit;
use crate::kernel_log::last_refusal;
use crate::lockdown::{wants_signatures, Lockdown};
use crate::module::Module;

/// Each message is a line: what is so, then what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Absence {
    #[error("xcap can't be had for this kernel, {release}, which {why}: boot one with Rust (Debian's from 7.2 on)")]
    Impossible { release: String, why: String },
    #[error("xcap isn't built for this kernel, {release}: apt install xcap-dkms, or make KDIR=/lib/modules/{release}/build in its source tree, then insmod xcap.ko")]
    NotBuilt { release: String },
    #[error("xcap isn't built for this kernel, {release}, but for {}: boot that, or install the headers of this one (linux-headers-{release}) and run dkms autoinstall", others.join(", "))]
    BuiltForOthers {
        release: String,
        others: Vec<String>,
    },
    #[error("DKMS did not build xcap for this kernel, {release}: '{log}' says why")]
    BuildFailed { release: String, log: String },
    #[error(
        "this kernel takes no more modules until it is booted anew (kernel.modules_disabled is 1)"
    )]
    NoMoreModules,
    #[error("the kernel takes signed modules only (Secure Boot), and '{path}' has no signature: sign it with a key that is enrolled (mokutil --import), or turn Secure Boot off; see xcap(4)")]
    Unsigned { path: String },
    #[error("xcap isn't loaded, the kernel refused it (\"{said}\"): {advice}")]
    Refused { said: String, advice: &'static str },
    #[error("xcap isn't loaded ('{path}' is there): {command}")]
    NotLoaded { path: String, command: String },
    #[error(
        "xcap is loaded, but debugfs is not mounted at {DEBUGFS}: mount -t debugfs none {DEBUGFS}"
    )]
    NotMounted,
    #[error("xcap is loaded, but has no files in debugfs: boot without debugfs=off")]
    NoFolder,
    #[error("xcap is loaded, but only root may read '{DIRECTORY}': run it with sudo")]
    NotRoot,
    #[error("the kernel is locked down, and lets nobody read '{DIRECTORY}': boot with lockdown=none, or turn Secure Boot off")]
    LockedDown,
}

/// Why xcap's files can't be read on this machine; none: they can.
pub fn absence(host: &Host) -> Option<Absence> {
    match Module::of(host) {
        Module::Loaded => unreadable(host),
        module => Some(not_loaded(host, module)),
    }
}

fn not_loaded(host: &Host, module: Module) -> Absence {
    let release = host.release();
    if host.text("/proc/sys/kernel/modules_disabled").as_deref() == Some("1") {
        return Absence::NoMoreModules;
    }
    match module {
        Module::Installed {
            path,
            signed: Some(false),
            ..
        } if wants_signatures(host) => Absence::Unsigned { path },
        Module::Installed { path, indexed, .. } => match last_refusal(host) {
            Some(said) => Absence::Refused {
                advice: advice(&said),
                said,
            },
            None => Absence::NotLoaded {
                command: if indexed {
                    "modprobe xcap".into()
                } else {
                    format!("insmod {path}, or depmod and modprobe xcap")
                },
                path,
            },
        },
        Module::Loaded | Module::NotBuilt { .. } => {
            if let Some(why) = unfit(host) {
                return Absence::Impossible { release, why };
            }
            if let Some(log) = build_log(host) {
                return Absence::BuildFailed { release, log };
            }
            match module {
                Module::NotBuilt { others } if !others.is_empty() => {
                    Absence::BuiltForOthers { release, others }
                }
                _ => Absence::NotBuilt { release },
            }
        }
    }
}

/// What to do about what the kernel said.
fn advice(said: &str) -> &'static str {
    if said.contains("version") || said.contains("symbol") {
        "build it anew for this kernel, dkms install --force xcap or make"
    } else {
        "sign it with a key that is enrolled (mokutil --import), or turn Secure Boot off; see xcap(4)"
    }
}

/// What DKMS wrote when it last failed to build xcap: it keeps the folder `build` only then.
fn build_log(host: &Host) -> Option<String> {
    let versions = host.names("/var/lib/dkms/xcap").into_iter();
    versions
        .map(|version| format!("/var/lib/dkms/xcap/{version}/build/make.log"))
        .find(|log| host.exists(log))
}

fn unreadable(host: &Host) -> Option<Absence> {
    let cause = host.try_text(format!("{DIRECTORY}/probes")).err()?;
    Some(match cause.kind() {
        std::io::ErrorKind::NotFound if is_mounted(host) => Absence::NoFolder,
        std::io::ErrorKind::NotFound => Absence::NotMounted,
        _ if geteuid().is_root() && Lockdown::of(host) > Lockdown::None => Absence::LockedDown,
        _ => Absence::NotRoot,
    })
}

fn is_mounted(host: &Host) -> bool {
    statfs(&host.path(DEBUGFS)).is_ok_and(|found| found.filesystem_type() == DEBUGFS_MAGIC)
}
