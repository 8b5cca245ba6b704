// SPDX-License-Identifier: GPL-2.0

//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use xcap_machines::config::emulation::Clock;
use xcap_study::record;
use xcap_study::run_id::{Buffer, Environment};
use xcap_study::scenario::{Scenario, PAPER};

/// The paper's study: what each stage of packet capture costs, in Xen and without
#[derive(Parser)]
#[command(version, max_term_width = 80, after_help = EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  xcap-paper run && xcap-paper report       the whole study, in the lab
  xcap-paper run --frames 500 --repetitions 2 --environments xen-pv
  xcap-paper run --sender 'ssh root@a' --dom0 'ssh root@b' --domu 'ssh root@c' \\
      --sender-interface eth1 --dom0-interface eth1 --domu-interface eth0
                                            the same on machines of your own

Exit status: 0 done, 1 an error (the reason is on stderr), 2 wrong usage.";

#[derive(Subcommand)]
pub enum Command {
    /// Run the study; what was run before is kept, and gone on with
    Run(Box<RunOptions>),
    /// Write the report of what was run
    Report(ReportOptions),
    /// Record this machine's share of one run, until its input ends
    Record(record::Options),
    /// Put the parts that machines recorded together, as results
    Gather(GatherOptions),
}

#[derive(Args)]
pub struct RunOptions {
    /// Where results are kept
    #[arg(long, value_name = "FOLDER", default_value = "results/paper")]
    pub results: PathBuf,
    /// Frames in a run
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub frames: u64,
    /// Runs of each kind
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=99))]
    pub repetitions: u32,
    /// What the capturing program runs on [default: in the lab, all; else by what is there]
    #[arg(long, value_enum, value_delimiter = ',')]
    pub environments: Vec<Environment>,
    /// w<wait µs>s<size>
    #[arg(long, value_delimiter = ',', default_values_t = PAPER)]
    pub scenarios: Vec<Scenario>,
    /// How much room the capturing socket has
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Buffer::ALL)]
    pub buffers: Vec<Buffer>,
    /// What time is to the lab's machines
    #[arg(long, value_enum, default_value_t = Clock::Instructions)]
    pub clock: Clock,
    #[command(flatten)]
    pub machines: MachineOptions,
}

/// Machines of your own: commands that run what follows them there.
#[derive(Args)]
#[command(next_help_heading = "Machines of your own, instead of the lab's")]
pub struct MachineOptions {
    /// Runs its arguments on the sending machine, such as 'ssh root@sender'
    #[arg(long, value_name = "COMMAND")]
    pub sender: Option<String>,
    /// … on the Xen host
    #[arg(long, value_name = "COMMAND", requires_all = ["sender", "domu"])]
    pub dom0: Option<String>,
    /// … on the capturing guest
    #[arg(long, value_name = "COMMAND", requires_all = ["sender", "dom0"])]
    pub domu: Option<String>,
    /// … on the capturing machine without Xen
    #[arg(long, value_name = "COMMAND", requires = "sender", conflicts_with_all = ["dom0", "domu"])]
    pub bare: Option<String>,
    /// Where the cable is plugged into the sender
    #[arg(long, value_name = "NAME", default_value = "eth0")]
    pub sender_interface: String,
    /// … into the Xen host
    #[arg(long, value_name = "NAME", default_value = "eth0")]
    pub dom0_interface: String,
    /// The capturing guest's interface
    #[arg(long, value_name = "NAME", default_value = "eth0")]
    pub domu_interface: String,
    /// … the capturing machine's
    #[arg(long, value_name = "NAME", default_value = "eth0")]
    pub bare_interface: String,
    /// Hardware address to send to
    #[arg(long, value_name = "MAC", default_value = "ff:ff:ff:ff:ff:ff")]
    pub destination: String,
}

#[derive(Args)]
pub struct ReportOptions {
    /// Where the results are; the report is written there too
    #[arg(long, value_name = "FOLDER", default_value = "results/paper")]
    pub results: PathBuf,
}

#[derive(Args)]
pub struct GatherOptions {
    /// Folders that parts were recorded to
    #[arg(required = true, value_name = "FOLDER")]
    pub parts: Vec<PathBuf>,
    /// Where results are kept
    #[arg(long, value_name = "FOLDER", default_value = "results/paper")]
    pub results: PathBuf,
}
