// SPDX-License-Identifier: GPL-2.0

//! What userland reads from others, with inputs that are nearly right.
//!
//! A parser that panics ends the program, having left the input beside the results; one that hangs is ended.

mod mutate;

use crate::guest::outcome::Outcome;
use crate::guest::round::Rounds;
use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use fastrand::Rng;
use std::fs;
use std::panic;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tempfile::TempDir;
use xcap_abi::btf::{Btf, File, Types};
use xcap_guest::frame::{encode, Decoder};
use xcap_guest::protocol::{Event, Request, Status, Stream};
use xcap_study::load;
use xcap_study::part::Part;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Parser {
    /// `stats`, and the statistics of it
    Stats,
    /// The kernel's types, as the module reads them
    Btf,
    /// What guests and xcap-lab say to each other
    Protocol,
    /// A run's folder
    Results,
}

#[derive(Args)]
pub struct Options {
    #[arg(value_enum)]
    pub parser: Parser,
    #[arg(long)]
    pub seed: u64,
    #[arg(long, default_value_t = u64::MAX)]
    pub rounds: u64,
    #[arg(long, default_value_t = 60)]
    pub seconds: u64,
    /// Where to leave an input that a parser panics at
    #[arg(long, value_name = "FILE")]
    pub found: PathBuf,
}

/// The input that is being read, for who finds that it isn't read well.
static CURRENT: Mutex<Vec<u8>> = Mutex::new(Vec::new());

pub fn run(options: &Options) -> Result<ExitCode> {
    let found = options.found.clone();
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |what| {
        usual(what);
        let input = CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(e) = fs::write(&found, &*input) {
            eprintln!("the input is lost: cannot write '{}': {e}", found.display());
        }
    }));
    let subject = Subject::new(options.parser)?;
    let mut rng = Rng::with_seed(options.seed);
    let mut rounds = Rounds::new(options.rounds, Duration::from_secs(options.seconds));
    while rounds.next().is_some() {
        let input = mutate::mutated(&mut rng, &subject.corpus);
        CURRENT
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone_from(&input);
        subject.read(&input, &mut rng)?;
    }
    Outcome {
        rounds: rounds.done(),
        ..Outcome::default()
    }
    .print();
    Ok(ExitCode::SUCCESS)
}

/// A parser with what it reads when nothing is wrong.
struct Subject {
    parser: Parser,
    corpus: Vec<Vec<u8>>,
    /// A whole run, and its files.
    run: Option<(TempDir, Vec<PathBuf>)>,
}

impl Subject {
    fn new(parser: Parser) -> Result<Self> {
        let mut subject = Self {
            parser,
            corpus: Vec::new(),
            run: None,
        };
        subject.corpus = match parser {
            Parser::Stats => STATS.map(|text| text.as_bytes().to_vec()).into(),
            Parser::Btf => vec![include_bytes!("../../corpus/two-functions.btf").to_vec()],
            Parser::Protocol => messages(),
            Parser::Results => {
                let (folder, files) = a_run()?;
                let texts = files.iter().map(fs::read).collect::<Result<_, _>>()?;
                subject.run = Some((folder, files));
                texts
            }
        };
        Ok(subject)
    }

    fn read(&self, input: &[u8], rng: &mut Rng) -> Result<()> {
        match self.parser {
            Parser::Stats => stats(input),
            Parser::Btf => btf(input),
            Parser::Protocol => protocol(input, rng),
            Parser::Results => {
                let (folder, files) = self.run.as_ref().context("a run was made")?;
                let file = rng.usize(..files.len());
                fs::write(&files[file], input)?;
                // Both are right answers.
                let _ = load::all(folder.path());
                fs::write(&files[file], &self.corpus[file])?;
            }
        }
        Ok(())
    }
}

const STATS: [&str; 3] = [
    include_str!("../../../../tools/read/tests/data/dom0.stats"),
    include_str!("../../../../tools/read/tests/data/bare.stats"),
    include_str!("../../../../tools/read/tests/data/domU-lossy.stats"),
];

fn stats(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let Ok(stats) = xcap_stats::parse(&text) else {
        return;
    };
    let report = xcap_stats::Report::new(&stats, xcap_stats::Options::default());
    // What was made of it can be written, and read again.
    let json = serde_json::to_string(&report).expect("a report is JSON");
    serde_json::from_str::<xcap_stats::Report>(&json).expect("and JSON is a report");
    for text in STATS {
        let other = xcap_stats::parse(text).expect("the corpus is right");
        let _ = xcap_stats::difference(&other, &stats);
        let _ = xcap_stats::difference(&stats, &other);
    }
}

fn btf(input: &[u8]) {
    let Ok(file) = File::new(input) else { return };
    let Ok(places) = file.places().collect::<Result<Vec<_>, _>>() else {
        return;
    };
    let btf = Btf {
        kernel: Types::of_kernel(file, &places),
        module: None,
    };
    for function in ["called", "structure", ""] {
        let _ = btf.signature(function.as_bytes());
    }
}

/// Cut into pieces as a line may cut it.
fn protocol(input: &[u8], rng: &mut Rng) {
    let (first, second) = input.split_at(rng.usize(..=input.len()));
    let mut events = Decoder::<Event>::default();
    let mut requests = Decoder::<Request>::default();
    for piece in [first, second] {
        events.feed(piece);
        requests.feed(piece);
    }
    events.finish();
    requests.finish();
}

fn messages() -> Vec<Vec<u8>> {
    let data = b"some output\n".to_vec();
    let stream = Stream::Stdout;
    let status = Status::Exited(3);
    let command = vec!["sh".to_owned(), "-c".to_owned(), "true".to_owned()];
    vec![
        encode(&Event::Ready),
        encode(&Event::Output {
            job: 7,
            stream,
            data,
        }),
        encode(&Event::Ended { job: 7, status }),
        encode(&Request::Hello),
        encode(&Request::Spawn {
            job: 1,
            command,
            terminal: None,
        }),
        encode(&Request::Signal { job: 1, signal: 15 }),
        b"[    0.1] a line of the console\n".to_vec(),
    ]
}

const PARTS: [&str; 3] = [
    include_str!("../../../../study/paper/tests/recorded/xen-pv/w0s0064-system-01-sender.json"),
    include_str!("../../../../study/paper/tests/recorded/xen-pv/w0s0064-system-01-dom0.json"),
    include_str!("../../../../study/paper/tests/recorded/xen-pv/w0s0064-system-01-domU.json"),
];

/// The files of a run.
fn a_run() -> Result<(TempDir, Vec<PathBuf>)> {
    use xcap_study::layout::Layout;
    use xcap_study::role::Role;
    use xcap_study::run_id::{Buffer, Environment, RunId};
    let folder = tempfile::tempdir()?;
    let run = RunId {
        environment: Environment::XenPv,
        scenario: xcap_study::scenario::PAPER[0],
        buffer: Buffer::System,
        repetition: 1,
    };
    let mut parts = xcap_study::part::Parts::new();
    for (role, text) in [Role::Sender, Role::DOM0, Role::DOMU]
        .into_iter()
        .zip(PARTS)
    {
        parts.insert(role, serde_json::from_str::<Part>(text)?);
    }
    Layout::Demo.write(folder.path(), run, &parts, None)?;
    let mut files = Vec::new();
    collect(folder.path(), &mut files)?;
    Ok((folder, files))
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<_>>()?;
    entries.sort();
    for path in entries {
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_parser_reads_its_corpus_and_some_hundred_inputs_that_are_nearly_it() {
        for parser in Parser::value_variants() {
            let subject = Subject::new(*parser).unwrap();
            let mut rng = Rng::with_seed(1);
            for input in &subject.corpus {
                subject.read(input, &mut rng).unwrap();
            }
            for _ in 0..200 {
                let input = mutate::mutated(&mut rng, &subject.corpus);
                subject.read(&input, &mut rng).unwrap();
            }
        }
    }
}
