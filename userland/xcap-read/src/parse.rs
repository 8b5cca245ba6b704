// SPDX-License-Identifier: GPL-2.0

//! From the text of `stats` to [`Stats`]; the format is told in `xcap_abi::format`.

use std::collections::HashMap;
use std::str::FromStr;

use xcap_abi::format::{END, MAGIC, VERSION};
use xcap_abi::histogram::BUCKETS;
use xcap_abi::record::COLUMNS;

use crate::{check, Cost, Histogram, Malformed, Missed, Moments, Stage, Stats, Tsc};

type Result<T> = std::result::Result<T, Malformed>;

/// Parses and checks the whole text of a `stats` file.
pub fn parse(text: &str) -> Result<Stats> {
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
            let stage = stage(columns, line).map_err(at)?;
            check::stage(&stage).map_err(at)?;
            stages.push(stage);
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
    Ok(Stats {
        kernel: header.kernel.ok_or_else(|| missing("kernel"))?,
        role: header.role.ok_or_else(|| missing("role"))?,
        cpus: header.cpus,
        tsc_khz: header.tsc_khz.ok_or_else(|| missing("tsc_khz"))?,
        tsc: header.tsc,
        recording: header.recording,
        costs: header.costs,
        stages,
        is_difference: false,
    })
}

type Fault<T> = std::result::Result<T, String>;

fn version(line: &str) -> Fault<()> {
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
    fn read(&mut self, entry: &str) -> Fault<()> {
        let (key, rest) = entry.split_once(' ').unwrap_or((entry, ""));
        match key {
            "kernel" => self.kernel = Some(rest.into()),
            "role" => self.role = Some(rest.into()),
            "cpus" => self.cpus = Some(number(key, rest)?),
            "tsc_khz" => self.tsc_khz = Some(number(key, rest)?),
            "tsc" => self.tsc = Some(tsc(rest)?),
            "recording" => self.recording = Some(flag(key, rest)?),
            "cost" => self.costs.push(cost(rest)?),
            "columns" => self.columns = Some(Columns::new(rest)?),
            _ => (),
        }
        Ok(())
    }
}

fn tsc(rest: &str) -> Fault<Tsc> {
    let pairs = Pairs::new("tsc", rest.split(' '))?;
    Ok(Tsc {
        invariant: flag("invariant", pairs.get("invariant")?)?,
        trapped: flag("trapped", pairs.get("trapped")?)?,
        rdtsc_cycles: number("rdtsc_cycles", pairs.get("rdtsc_cycles")?)?,
        skew_cycles: number("skew_cycles", pairs.get("skew_cycles")?)?,
        source: pairs.get("source")?.into(),
    })
}

fn cost(rest: &str) -> Fault<Cost> {
    let mut words = rest.split(' ');
    let (Some(backend), Some(cache)) = (words.next(), words.next()) else {
        return Err("`# cost` names no backend and cache (hot, cold)".into());
    };
    let pairs = Pairs::new("cost", words)?;
    Ok(Cost {
        backend: backend.into(),
        cache: cache.into(),
        samples: number("samples", pairs.get("samples")?)?,
        inside: number("inside", pairs.get("inside")?)?,
        outside: number("outside", pairs.get("outside")?)?,
    })
}

/// The `key=value` words of a header line.
struct Pairs<'a> {
    line: &'a str,
    values: HashMap<&'a str, &'a str>,
}

impl<'a> Pairs<'a> {
    fn new(line: &'a str, words: impl Iterator<Item = &'a str>) -> Fault<Self> {
        let values = words
            .map(|word| {
                word.split_once('=')
                    .ok_or_else(|| format!("'{word}' in `# {line}` is not key=value"))
            })
            .collect::<Fault<_>>()?;
        Ok(Self { line, values })
    }

    fn get(&self, key: &str) -> Fault<&'a str> {
        self.values
            .get(key)
            .copied()
            .ok_or_else(|| format!("`# {}` has no {key}=", self.line))
    }
}

/// Where each column stands in a line.
struct Columns {
    places: HashMap<String, usize>,
}

impl Columns {
    fn new(names: &str) -> Fault<Self> {
        let mut places = HashMap::new();
        for (place, name) in names.split(' ').enumerate() {
            if places.insert(name.to_owned(), place).is_some() {
                return Err(format!("`# columns` names {name} twice"));
            }
        }
        match COLUMNS.iter().find(|name| !places.contains_key(**name)) {
            Some(absent) => Err(format!("`# columns` lacks {absent}")),
            None => Ok(Self { places }),
        }
    }
}

/// The fields of one stage's line, by the columns' names.
struct Fields<'a> {
    columns: &'a Columns,
    values: Vec<&'a str>,
}

impl<'a> Fields<'a> {
    fn text(&self, name: &str) -> &'a str {
        self.values[self.columns.places[name]]
    }

    fn optional(&self, name: &str) -> Option<String> {
        Some(self.text(name))
            .filter(|text| *text != "-")
            .map(str::to_owned)
    }

    fn number<T: FromStr>(&self, name: &str) -> Fault<T> {
        number(name, self.text(name))
    }
}

fn stage(columns: &Columns, line: &str) -> Fault<Stage> {
    let values: Vec<&str> = line.split(' ').collect();
    let (found, expected) = (values.len(), columns.places.len());
    if found != expected {
        return Err(format!(
            "{found} fields where `# columns` names {expected}: truncated or damaged"
        ));
    }
    let fields = Fields { columns, values };
    let count = fields.number("count")?;
    let known = |value| (count > 0).then_some(value);
    Ok(Stage {
        name: fields.text("stage").into(),
        function: fields.optional("function"),
        backend: fields.optional("backend"),
        state: fields.text("state").into(),
        reason: fields.optional("reason"),
        moments: Moments {
            count,
            sum: fields.number("sum")?,
            sumsq: fields.number("sumsq")?,
        },
        min: known(fields.number("min")?),
        max: known(fields.number("max")?),
        entries: fields.number("entries")?,
        missed: fields.number("missed")?,
        missed_by: Missed {
            pool: fields.number("missed_pool")?,
            busy: fields.number("missed_busy")?,
            straddled: fields.number("missed_straddled")?,
            negative: fields.number("missed_negative")?,
        },
        in_flight: fields.number("in_flight")?,
        migrated: fields.number("migrated")?,
        switched: fields.number("switched")?,
        self_count: fields.number("self_count")?,
        self_sum: fields.number("self_sum")?,
        work: fields.number("work")?,
        work_unit: fields.optional("work_unit"),
        nested_cost: fields.number("nested_cost")?,
        nested_outside: fields.number("nested_outside")?,
        exact: flag("exact", fields.text("exact"))?,
        histogram: histogram(fields.text("histogram"))?,
    })
}

fn histogram(text: &str) -> Fault<Histogram> {
    let mut histogram = Histogram::default();
    if text == "-" {
        return Ok(histogram);
    }
    for pair in text.split(',') {
        let (bucket, count) = pair
            .split_once(':')
            .ok_or_else(|| format!("'{pair}' in histogram is not bucket:count"))?;
        let bucket: usize = number("histogram", bucket)?;
        if bucket >= BUCKETS {
            return Err(format!(
                "histogram has a bucket {bucket}, the last is {}",
                BUCKETS - 1
            ));
        }
        let count = number("histogram", count)?;
        if histogram.0.insert(bucket, count).is_some() {
            return Err(format!("histogram has bucket {bucket} twice"));
        }
    }
    Ok(histogram)
}

fn number<T: FromStr>(name: &str, text: &str) -> Fault<T> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|_| digits)
        .ok_or_else(|| format!("{name} is '{text}', not an integer that xcap could have written"))
}

fn flag(name: &str, text: &str) -> Fault<bool> {
    match text {
        "0" => Ok(false),
        "1" => Ok(true),
        _ => Err(format!("{name} is '{text}', not 0 or 1")),
    }
}
