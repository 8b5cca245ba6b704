// SPDX-License-Identifier: GPL-2.0

//! From the text of `stats` to [`Stats`]; the format is told in `xcap_abi::format`.

use std::collections::HashMap;

use xcap_abi::format::{CPU, END, MAGIC, VERSION};
use xcap_abi::read::{Fault, Parse};
use xcap_abi::word::NOTHING;

use crate::check::{self, Scope};
use crate::error::Malformed;
use crate::per_cpu::PerCpu;
use crate::stats::{Cost, Stage, Stats, Tsc};

/// Parses and checks the whole text of a `stats` file.
pub fn parse(text: &str) -> Result<Stats, Malformed> {
    let (stats, stages) = lines(text, Scope::AllCpus)?;
    Ok(Stats {
        stages: stages.into_iter().map(|(_, stage)| stage).collect(),
        ..stats
    })
}

/// The same of a `per_cpu` file.
pub fn parse_per_cpu(text: &str) -> Result<PerCpu, Malformed> {
    let (stats, stages) = lines(text, Scope::OneCpu)?;
    Ok(PerCpu::new(&stats, stages))
}

/// A stage, and its CPU where the file tells CPUs apart.
pub(crate) type Line = (Option<u32>, Stage);

/// What the header says, and the lines that follow.
fn lines(text: &str, scope: Scope) -> Result<(Stats, Vec<Line>), Malformed> {
    let mut header = Header::default();
    let mut stages = Vec::new();
    let mut last = 0;
    let mut ended = false;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        last = index + 1;
        let Some(line) = line.strip_suffix('\n') else {
            return Err(Malformed::new(last, "truncated: the line has no end"));
        };
        let at = |fault: String| Malformed::new(last, fault);
        if std::mem::take(&mut ended) {
            return Err(at(format!("a line after `{END}`")));
        }
        if last == 1 {
            version(line).map_err(at)?;
        } else if line == END {
            ended = true;
        } else if let Some(entry) = line.strip_prefix("# ") {
            header.read(entry).map_err(at)?;
        } else {
            let columns = header
                .columns
                .as_ref()
                .ok_or_else(|| at("a stage before the header line `# columns`".into()))?;
            if columns.places.contains_key(CPU) != (scope == Scope::OneCpu) {
                return Err(at(scope.other().into()));
            }
            let (cpu, stage) = stage(columns, line).map_err(at)?;
            check::stage(&stage, scope).map_err(at)?;
            stages.push((cpu, stage));
        }
    }
    if last == 0 {
        return Err(Malformed::new(1, "truncated: the file is empty"));
    }
    let missing = |key| Malformed::new(last, format!("truncated: no header line `# {key}`"));
    header.columns.ok_or_else(|| missing("columns"))?;
    if !ended {
        return Err(Malformed::new(
            last,
            format!("truncated: no line `{END}` follows"),
        ));
    }
    let stats = Stats {
        kernel: header.kernel.ok_or_else(|| missing("kernel"))?,
        role: header.role.ok_or_else(|| missing("role"))?,
        cpus: header.cpus,
        tsc_khz: header.tsc_khz.ok_or_else(|| missing("tsc_khz"))?,
        tsc: header.tsc,
        recording: header.recording,
        costs: header.costs,
        stages: Vec::new(),
        is_difference: false,
    };
    Ok((stats, stages))
}

fn version(line: &str) -> Result<(), Fault> {
    let version = line
        .strip_prefix(MAGIC)
        .and_then(|rest| rest.strip_prefix(' '))
        .ok_or_else(|| format!("not an xcap stats file: it doesn't begin with `{MAGIC}`"))?;
    if version == VERSION.to_string() {
        Ok(())
    } else {
        Err(format!(
            "format version '{version}', this xcap-read knows {VERSION}: take the xcap-read that came with the module"
        ))
    }
}

/// The header lines that this version knows; it skips others.
#[derive(Default)]
struct Header {
    kernel: Option<String>,
    role: Option<String>,
    cpus: Option<u32>,
    tsc_khz: Option<u64>,
    tsc: Option<Tsc>,
    recording: Option<bool>,
    costs: Vec<Cost>,
    columns: Option<Columns>,
}

impl Header {
    fn read(&mut self, entry: &str) -> Result<(), Fault> {
        let (key, rest) = entry.split_once(' ').unwrap_or((entry, ""));
        match key {
            "kernel" => self.kernel = Some(rest.into()),
            "role" => self.role = Some(rest.into()),
            "cpus" => self.cpus = Some(Parse::parse(key, rest)?),
            "tsc_khz" => self.tsc_khz = Some(Parse::parse(key, rest)?),
            "tsc" => self.tsc = Some(tsc(rest)?),
            "recording" => self.recording = Some(Parse::parse(key, rest)?),
            "cost" => self.costs.push(cost(rest)?),
            "columns" => self.columns = Some(Columns::new(rest)?),
            _ => (),
        }
        Ok(())
    }
}

fn tsc(rest: &str) -> Result<Tsc, Fault> {
    let pairs = Pairs::new("tsc", rest.split(' '))?;
    Ok(Tsc {
        invariant: Parse::parse("invariant", pairs.get("invariant")?)?,
        trapped: Parse::parse("trapped", pairs.get("trapped")?)?,
        rdtsc_cycles: Parse::parse("rdtsc_cycles", pairs.get("rdtsc_cycles")?)?,
        skew_cycles: Parse::parse("skew_cycles", pairs.get("skew_cycles")?)?,
        source: pairs.get("source")?.into(),
    })
}

fn cost(rest: &str) -> Result<Cost, Fault> {
    let mut words = rest.split(' ');
    let (Some(backend), Some(cache)) = (words.next(), words.next()) else {
        return Err("`# cost` names no backend and cache (hot, cold)".into());
    };
    let pairs = Pairs::new("cost", words)?;
    Ok(Cost {
        backend: backend.into(),
        cache: cache.into(),
        samples: Parse::parse("samples", pairs.get("samples")?)?,
        inside: Parse::parse("inside", pairs.get("inside")?)?,
        outside: Parse::parse("outside", pairs.get("outside")?)?,
        inside_quartile: pairs.number("inside_quartile")?,
        outside_quartile: pairs.number("outside_quartile")?,
    })
}

/// The `key=value` words of a header line.
struct Pairs<'a> {
    line: &'a str,
    values: HashMap<&'a str, &'a str>,
}

impl<'a> Pairs<'a> {
    fn new(line: &'a str, words: impl Iterator<Item = &'a str>) -> Result<Self, Fault> {
        let values = words
            .map(|word| {
                word.split_once('=')
                    .ok_or_else(|| format!("'{word}' in `# {line}` is not key=value"))
            })
            .collect::<Result<_, Fault>>()?;
        Ok(Self { line, values })
    }

    fn get(&self, key: &str) -> Result<&'a str, Fault> {
        self.values
            .get(key)
            .copied()
            .ok_or_else(|| format!("`# {}` has no {key}=", self.line))
    }

    /// What not every version of the format says.
    fn number(&self, key: &str) -> Result<Option<u64>, Fault> {
        let value = self.values.get(key);
        value.map(|value| Parse::parse(key, value)).transpose()
    }
}

/// Where each column stands in a line.
struct Columns {
    places: HashMap<String, usize>,
}

impl Columns {
    fn new(names: &str) -> Result<Self, Fault> {
        let mut places = HashMap::new();
        for (place, name) in names.split(' ').enumerate() {
            if places.insert(name.to_owned(), place).is_some() {
                return Err(format!("`# columns` names {name} twice"));
            }
        }
        match Stage::lacks(|name| places.contains_key(name)) {
            Some(absent) => Err(format!("`# columns` lacks {absent}")),
            None => Ok(Self { places }),
        }
    }
}

/// The CPU, if there is one, and the stage.
fn stage(columns: &Columns, line: &str) -> Result<Line, Fault> {
    let words: Vec<&str> = line.split(' ').collect();
    let (found, expected) = (words.len(), columns.places.len());
    if found != expected {
        return Err(format!(
            "{found} fields where `# columns` names {expected}: truncated or damaged"
        ));
    }
    let word = |column: &str| columns.places.get(column).map(|place| words[*place]);
    let cpu = word(CPU).filter(|word| *word != NOTHING);
    let cpu = cpu.map(|word| Parse::parse(CPU, word)).transpose()?;
    Ok((cpu, Stage::parse(word)?))
}
