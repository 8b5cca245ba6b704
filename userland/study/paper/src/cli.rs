// SPDX-License-Identifier: GPL-2.0

//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use xcap_study::record;
use xcap_study::run_id::{Buffer, Environment};
use xcap_study::scenario::{Scenario, PAPER};

/// The paper's study: what each stage of packet capture costs, in Xen and without
#[derive(Parser)]
#[command(version, max_term_width = 80, after_help = EXAMPLES)]
#[command(arg_required_else_help = true, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// Print the JSON schema of a file: its keys, and what they mean
    #[arg(long, value_enum, value_name = "FILE")]
    pub schema: Option<Schema>,
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What has a schema.
#[derive(Clone, Copy, ValueEnum)]
pub enum Schema {
    /// manifest.json of a results folder
    Manifest,
    /// study.json: what was asked for, in which order
    Study,
    /// frames.json of a run
    Frames,
    /// environment.json of a run
    Environment,
    /// parts/<role>.json of a run
    Part,
    /// A row of tables/moments.csv
    Moments,
    /// A row of tables/runs.csv
    Runs,
    /// A row of tables/frames.csv
    Hops,
    /// A row of tables/costs.csv
    Costs,
}

const EXAMPLES: &str = "\
Examples:
  xcap-paper run && xcap-paper report       the whole study, in the lab
  xcap-paper run --frames 500 --repetitions 2 --environments xen-pv
  xcap-paper run --sender 'ssh root@a' --dom0 'ssh root@b' --domu 'ssh root@c' \\
      --sender-interface eth1 --dom0-interface eth1 --domu-interface eth0
                                            the same on machines of your own
  xcap-paper --schema manifest              what the keys of manifest.json mean

Exit status: 0 done, 1 an error (the reason is on stderr), 2 wrong usage.";

#[derive(Subcommand)]
pub enum Command {
    /// Run the study; what was run before is kept, and gone on with
    Run(Box<RunOptions>),
    /// Write the report of what was run
    Report(ReportOptions),
    /// Tell the journeys of numbered frames: where each was served, and where it waited
    Journeys(JourneysOptions),
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
    /// Numbered frames sent after each run, to leave marks [default: none]
    #[arg(
        long,
        value_name = "FRAMES",
        default_value_t = 0,
        hide_default_value = true
    )]
    pub marks: u64,
    /// Runs of each kind
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=99))]
    pub repetitions: u32,
    /// Decides the order of the runs [default: the study's own, or any]
    #[arg(long)]
    pub seed: Option<u64>,
    /// What the capturing program runs on [default: in the lab, all; else by what is there]
    #[arg(long, value_enum, value_delimiter = ',')]
    pub environments: Vec<Environment>,
    /// w<wait µs>s<size>
    #[arg(long, value_delimiter = ',', default_values_t = PAPER)]
    pub scenarios: Vec<Scenario>,
    /// How much room the capturing socket has
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Buffer::ALL)]
    pub buffers: Vec<Buffer>,
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
#[command(after_help = JOURNEYS_EXAMPLES)]
pub struct JourneysOptions {
    /// A run's folder, or results with several
    #[arg(value_name = "RESULTS")]
    pub results: PathBuf,
    /// Print all that is known of them, a JSON object a run
    #[arg(long, conflicts_with = "csv")]
    pub json: bool,
    /// Print a row for each part of each frame's time
    #[arg(long)]
    pub csv: bool,
    /// Write one run as a trace that ui.perfetto.dev and chrome://tracing open
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
}

const JOURNEYS_EXAMPLES: &str = "\
Examples:
  xcap-paper journeys results/demo
  xcap-paper journeys results/demo/w0s0064 --json | jq .places
  xcap-paper journeys results/demo/w0s0064 --trace w0s0064.json";

#[derive(Args)]
pub struct GatherOptions {
    /// Folders that parts were recorded to
    #[arg(required = true, value_name = "FOLDER")]
    pub parts: Vec<PathBuf>,
    /// Where results are kept
    #[arg(long, value_name = "FOLDER", default_value = "results/paper")]
    pub results: PathBuf,
}
