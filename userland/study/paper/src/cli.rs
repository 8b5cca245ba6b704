// SPDX-License-Identifier: GPL-2.0

//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use xcap_frames::Way;
use xcap_machines::config::emulation::Clock;
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
    /// What compare --json prints
    Comparison,
    /// A row of findings.json
    Finding,
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
    /// sweep.json: rates from idle to overload
    Sweep,
    /// overhead.json: what measuring costs the capture
    Overhead,
    /// ways.json: what each way of capturing costs
    Ways,
    /// transmit.json: what sending costs
    Transmit,
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
  xcap-paper compare results/old results/paper --fail-above 5
  xcap-paper sweep                          from idle to overload, in the lab
  xcap-paper overhead                       what measuring costs the capture
  xcap-paper ways                           recvfrom, rings, XDP sockets
  xcap-paper transmit                       a guest sends, in the lab
  xcap-paper --schema manifest              what the keys of manifest.json mean

Exit status: 0 done, 1 an error (the reason is on stderr), 2 wrong usage,
3 compare found more than --fail-above allows.";

#[derive(Subcommand)]
pub enum Command {
    /// Run the study; what was run before is kept, and gone on with
    Run(Box<RunOptions>),
    /// Write the report of what was run
    Report(ReportOptions),
    /// Compare two results folders, stage by stage
    Compare(CompareOptions),
    /// Offer frames at rates from idle to overload, in the lab, and find where the first is lost
    Sweep(SweepOptions),
    /// Compare what the receiving machine spends on a capture, in the lab: measured and not
    Overhead(OverheadOptions),
    /// Compare ways of capturing, in the lab: what each costs, loses, and how long frames wait
    Ways(WaysOptions),
    /// Measure what sending costs, in the lab: now and then, and as fast as it goes
    Transmit(TransmitOptions),
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
    /// Frames in a run; where they come one by one in the lab, 1000 at most, which cost the same each
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
pub struct SweepOptions {
    /// Where results are kept: sweep.json, tables/sweep.csv, tables/sweep-stages.csv, tables/knees.csv
    #[arg(long, value_name = "FOLDER", default_value = "results/paper")]
    pub results: PathBuf,
    /// Frames of each trial, at least
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(2..))]
    pub frames: u64,
    #[command(flatten)]
    pub trial: TrialOptions,
    /// Numbered frames sent at each rate, whose latency is told; 0: none
    #[arg(long, value_name = "FRAMES", default_value_t = 500)]
    pub marks: u64,
    /// Bytes of a frame
    #[arg(long, value_delimiter = ',', default_values_t = [64, 1500], value_parser = clap::value_parser!(u16).range(60..=1514))]
    pub sizes: Vec<u16>,
    /// What the capturing program runs on
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Environment::XenPv, Environment::Native])]
    pub environments: Vec<Environment>,
    /// How much room the capturing socket has
    #[arg(long, value_enum, default_value_t = Buffer::Large)]
    pub buffer: Buffer,
}

#[derive(Args)]
pub struct TrialOptions {
    /// How long frames are offered in each trial, at least, by the receiver's clock: longer than buffers last
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub milliseconds: u64,
}

impl TrialOptions {
    pub fn lasting(&self) -> Duration {
        Duration::from_millis(self.milliseconds)
    }
}

#[derive(Args)]
pub struct OverheadOptions {
    /// Where results are kept: overhead.json, tables/overhead.csv
    #[arg(long, value_name = "FOLDER", default_value = "results/paper")]
    pub results: PathBuf,
    /// Frames of each trial, at least
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(2..))]
    pub frames: u64,
    #[command(flatten)]
    pub trial: TrialOptions,
    /// Trials of each load
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=99))]
    pub repetitions: u32,
    /// What the capturing program runs on
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Environment::XenPv, Environment::Native])]
    pub environments: Vec<Environment>,
    /// Also measure the same functions with SystemTap and bpftrace, from Debian
    #[arg(long)]
    pub peers: bool,
    /// Leave out the greatest rates without a loss, which take longest
    #[arg(long)]
    pub no_knees: bool,
    /// Decides the order [default: by chance, and recorded]
    #[arg(long)]
    pub seed: Option<u32>,
}

#[derive(Args)]
pub struct WaysOptions {
    /// Where results are kept: ways.json, tables/ways.csv, tables/ways.md, tables/ways-captured.md
    #[arg(long, value_name = "FOLDER", default_value = "results/paper")]
    pub results: PathBuf,
    /// Frames of each trial
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(2..))]
    pub frames: u64,
    /// Bytes of a frame
    #[arg(long, value_delimiter = ',', default_values_t = [64, 1500], value_parser = clap::value_parser!(u16).range(60..=1514))]
    pub sizes: Vec<u16>,
    /// What captures
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Way::value_variants().to_vec())]
    pub ways: Vec<Way>,
    /// Size of the socket's buffer, or ring
    #[arg(long, value_name = "BYTES", default_value_t = 8 << 20, value_parser = clap::value_parser!(u32).range(1..=1 << 26))]
    pub buffer: u32,
    /// What the capturing program runs on; under Xen in dom0, too
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Environment::XenPv, Environment::Native])]
    pub environments: Vec<Environment>,
}

#[derive(Args)]
pub struct TransmitOptions {
    /// Where results are kept: transmit.json, tables/transmit.csv, tables/transmit-journeys.csv, tables/transmit.md
    #[arg(long, value_name = "FOLDER", default_value = "results/paper")]
    pub results: PathBuf,
    /// Frames of a trial; where they are sent one by one, 200 at most, which cost the same each
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(2..=20_000))]
    pub frames: u64,
    /// Bytes of a frame
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(60..=1514))]
    pub size: u16,
    /// What the sending program runs on
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Environment::XenPv, Environment::Native])]
    pub environments: Vec<Environment>,
}

#[derive(Args)]
pub struct ReportOptions {
    /// Where the results are; the report is written there too
    #[arg(long, value_name = "FOLDER", default_value = "results/paper")]
    pub results: PathBuf,
}

/// Compares self time a frame of two results folders: two kernels, or two settings.
#[derive(Args)]
#[command(after_help = COMPARE_EXAMPLES)]
pub struct CompareOptions {
    /// Results of `run` or of a demo
    pub old: PathBuf,
    /// The same, changed
    pub new: PathBuf,
    /// Exit with 3 if a stage grew by more than this
    #[arg(long, value_name = "PERCENT", value_parser = part)]
    pub fail_above: Option<f64>,
    /// With --fail-above: also if such growth can't be ruled out
    #[arg(long, requires = "fail_above")]
    pub strict: bool,
    /// Figures that differ by no more are the same
    #[arg(long, value_name = "PERCENT", default_value = "5", value_parser = part)]
    pub margin: f64,
    /// A line for each scenario and socket buffer
    #[arg(long)]
    pub each: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

const COMPARE_EXAMPLES: &str = "\
Examples:
  xcap-paper compare results/7.2 results/7.3
  xcap-paper compare main branch --fail-above 5 || exit   in CI
  xcap-paper compare main branch --json | jq '.lines[] | select(.exceeds)'

Runs are the samples: both folders need two of each kind, five to see 5 to 10 %.
Nothing is paired, since two folders share no start of the machines.

Exit status: 0 compared, 1 an error, 2 wrong usage, 3 a stage grew by more than
--fail-above (p < 0.05, by Holm over all lines; with --strict: may have grown).";

fn part(text: &str) -> Result<f64, String> {
    let percent: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if percent > 0.0 && percent < 1000.0 {
        Ok(percent / 100.0)
    } else {
        Err("not between 0 and 1000".into())
    }
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
