// SPDX-License-Identifier: GPL-2.0

//! The command line.

use anyhow::Result;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use xcap_machines::config::emulation::{Accelerator, Clock};
use xcap_machines::config::{Copy, DomUType};
use xcap_machines::{Config, Place};
use xcap_study::record;

/// A Xen host, a capturing guest and a sender as virtual machines
#[derive(Parser)]
#[command(
    max_term_width = 80,
    version,
    after_help = "Examples:\n  \
        xcap-lab exec bare -- uname -r\n  \
        xcap-lab exec dom0 --with domU,sender -- xcap-read\n  \
        xcap-lab shell domU\n\n\
        KERNEL chooses another kernel (a release, or a suite whose newest is meant), MIRROR another \
        Debian mirror. All that is made is kept in ${XDG_CACHE_HOME:-~/.cache}/xcap."
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Make everything that the lab needs, once
    Setup,
    /// Build the kernel module for the lab's kernel and print its path
    Module(ModuleOptions),
    /// Make Debian packages: programs, DKMS sources, the module for the lab's kernel
    Deb(DebOptions),
    /// Make a signed apt repository of the packages
    Repo(RepoOptions),
    /// Boot what is needed, run a command there, pass output and exit code through
    Exec(ExecOptions),
    /// Boot what is needed and give a prompt there
    Shell(ShellOptions),
    /// Measure what each stage of capturing costs in dom0 and domU, in the paper's four scenarios
    Demo(DemoOptions),
    /// What a demo runs in the guests
    #[command(hide = true)]
    Record(record::Options),
}

#[derive(Args)]
pub struct DemoOptions {
    /// Frames a scenario
    #[arg(long, default_value_t = 10_000)]
    pub frames: u64,
    /// Numbered frames that leave marks, sent after each scenario's: 0 for none
    #[arg(long, value_name = "FRAMES", default_value_t = 1_000)]
    pub marks: u64,
    /// Where to leave the results
    #[arg(long, value_name = "DIR", default_value = "results/demo")]
    pub results: PathBuf,
}

#[derive(Args)]
pub struct ModuleOptions {
    /// Check with clippy; any remark is an error
    #[arg(long)]
    pub clippy: bool,
    /// Check the formatting only
    #[arg(long, conflicts_with = "clippy")]
    pub format: bool,
}

#[derive(Args)]
pub struct DebOptions {
    /// Where to leave the packages, in a folder named for the kernel's suite
    #[arg(long, value_name = "DIR", default_value = "dist")]
    pub dist: PathBuf,
    #[arg(long, env = "KEYS", value_name = "DIR", help = KEYS)]
    pub keys: Option<PathBuf>,
}

#[derive(Args)]
pub struct RepoOptions {
    /// Where the packages are; the repository is made beside them, in repo
    #[arg(long, value_name = "DIR", default_value = "dist")]
    pub dist: PathBuf,
    #[arg(long, env = "KEYS", value_name = "DIR", help = KEYS)]
    pub keys: Option<PathBuf>,
}

const KEYS: &str = "Folder of the keys that are signed with, made once \
    [default: ${XDG_DATA_HOME:-~/.local/share}/xcap]";

#[derive(Args)]
pub struct ExecOptions {
    #[arg(value_enum)]
    pub place: Place,
    #[command(flatten)]
    pub lab: LabOptions,
    /// Pass this program's input on
    #[arg(short, long)]
    pub interactive: bool,
    /// A bare machine whose clock counts instructions: the same figures in every run
    #[arg(long, conflicts_with_all = ["with", "interactive"])]
    pub deterministic: bool,
    #[arg(last = true, required = true)]
    pub command: Vec<String>,
}

#[derive(Args)]
pub struct ShellOptions {
    #[arg(value_enum)]
    pub place: Place,
    #[command(flatten)]
    pub lab: LabOptions,
}

#[derive(Args)]
pub struct LabOptions {
    /// Boot these as well
    #[arg(long, value_enum, value_delimiter = ',')]
    pub with: Vec<Place>,
    /// Leave xcap unloaded; it lies at /lab/xcap.ko
    #[arg(long)]
    pub no_load: bool,
    /// Use this module instead of building the source tree's
    #[arg(long, value_name = "KO")]
    pub module: Option<PathBuf>,
    /// Put a file or folder into every guest, at /root unless DEST says where
    #[arg(long, value_name = "SRC[:DEST]", value_parser = parse_copy)]
    pub copy: Vec<Copy>,
    /// Load a module of the kernel's own at boot
    #[arg(long = "modprobe", value_name = "NAME")]
    pub modules: Vec<String>,
    /// CPUs of the bare machine
    #[arg(long, default_value_t = 2)]
    pub cpus: u32,
    /// Memory of the bare machine, in MiB
    #[arg(long, default_value_t = 1024)]
    pub memory: u32,
    /// More words for the kernels' command line
    #[arg(long, default_value = "")]
    pub append: String,
    /// The receiving machine's network card
    #[arg(long, default_value = "e1000e", value_parser = ["e1000e", "igb", "virtio-net-pci", "e1000"])]
    pub nic: String,
    /// The domU's kind
    #[arg(long, value_enum, default_value_t = DomUType::Pv)]
    pub domu: DomUType,
    /// How guests are run: KVM where the processor offers it, unless said here
    #[arg(long, value_enum, default_value_t = Accel::Auto)]
    pub accel: Accel,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Accel {
    Auto,
    Tcg,
    Kvm,
}

impl LabOptions {
    pub fn config(&self, place: Place) -> Config {
        let mut guests = self.with.clone();
        guests.push(place);
        if guests.contains(&Place::DomU) {
            guests.push(Place::Dom0);
        }
        guests.sort();
        guests.dedup();
        Config {
            load: !self.no_load,
            nic: self.nic.clone(),
            domu: self.domu,
            cpus: self.cpus,
            memory_mib: self.memory,
            append: self.append.clone(),
            modules: self.modules.clone(),
            copies: self.copy.clone(),
            accelerator: match self.accel {
                Accel::Auto => Accelerator::detect(),
                Accel::Tcg => Accelerator::Tcg,
                Accel::Kvm => Accelerator::Kvm,
            },
            clock: Clock::Wall,
            ..Config::of(guests)
        }
    }
}

fn parse_copy(text: &str) -> Result<Copy, String> {
    let (from, to) = match text.rsplit_once(':') {
        Some((from, to)) if to.starts_with('/') => (PathBuf::from(from), to.to_owned()),
        Some(_) => return Err("the place in the guest has to begin with /".to_owned()),
        None => {
            let from = PathBuf::from(text);
            let name = from
                .file_name()
                .ok_or("it has no name to keep: say where, SRC:DEST")?;
            let to = format!("/root/{}", name.to_string_lossy());
            (from, to)
        }
    };
    if !from.exists() {
        return Err(format!("'{}' isn't there", from.display()));
    }
    Ok(Copy { from, to })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_copy_says_where_or_keeps_its_name() {
        let copy = parse_copy("/etc/hostname:/tmp/x").unwrap();
        assert_eq!(
            (copy.from, copy.to),
            ("/etc/hostname".into(), "/tmp/x".into())
        );
        assert_eq!(parse_copy("/etc/hostname").unwrap().to, "/root/hostname");
        assert!(parse_copy("/nowhere/at/all")
            .unwrap_err()
            .contains("isn't there"));
        assert!(parse_copy("/etc/hostname:tmp").is_err());
    }

    #[test]
    fn the_domu_brings_dom0_along() {
        let cli = Cli::parse_from(["xcap-lab", "exec", "domU", "--with", "sender", "--", "true"]);
        let Command::Exec(options) = cli.command else {
            panic!("exec")
        };
        let config = options.lab.config(options.place);
        assert_eq!(config.guests, [Place::Dom0, Place::DomU, Place::Sender]);
    }
}
