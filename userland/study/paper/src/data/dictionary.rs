// SPDX-License-Identifier: GPL-2.0

//! What each column of a table is: the words that stand at the fields that its rows are made of.

use schemars::generate::SchemaSettings;
use schemars::JsonSchema;
use serde_json::Value;

/// A table that others read.
pub struct Entry {
    file: &'static str,
    rows: &'static str,
    /// Name, kind and meaning of each.
    columns: Vec<(String, String, String)>,
}

pub fn table<Row: JsonSchema>(file: &'static str, rows: &'static str) -> Entry {
    let schema = schema::<Row>();
    let of = |name: &str, key: &str| schema["properties"][name][key].clone();
    let columns = columns::<Row>().into_iter().map(|name| {
        let kind = kind(&of(&name, "type"), &of(&name, "oneOf"));
        let meaning = of(&name, "description");
        let meaning = meaning.as_str().unwrap_or_default().replace('\n', " ");
        // As in the module's own file, where no word may be empty.
        let meaning = meaning
            .replace(", or `-`", "; empty: none")
            .replace("0 when `count` is 0", "empty where `count` is 0");
        (name, kind, meaning)
    });
    Entry {
        file,
        rows,
        columns: columns.collect(),
    }
}

/// Names of the columns, in order.
pub fn columns<Row: JsonSchema>() -> Vec<String> {
    // Serde's own order; objects of a schema are sorted, what is required is not.
    let schema = schema::<Row>();
    let required = schema["required"].as_array().into_iter().flatten();
    let names = required.filter_map(|name| name.as_str().map(str::to_owned));
    names.collect()
}

fn schema<Row: JsonSchema>() -> Value {
    let mut settings = SchemaSettings::draft2020_12().for_serialize();
    settings.inline_subschemas = true;
    settings
        .into_generator()
        .into_root_schema_for::<Row>()
        .to_value()
}

fn kind(kind: &Value, words: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match (kind, words) {
        (_, Value::Array(words)) => {
            let words: Vec<String> = words.iter().map(|word| text(&word["const"])).collect();
            words.join(", ")
        }
        (Value::Array(kinds), _) => {
            let kinds: Vec<String> = kinds
                .iter()
                .map(text)
                .filter(|kind| kind != "null")
                .collect();
            format!("{} or empty", kinds.join(" or "))
        }
        (kind, _) => text(kind),
    }
}

pub fn markdown(entries: &[Entry]) -> String {
    let mut out = "# Data dictionary\n\nCommas separate, a dot is the decimal point, the first line names the columns; \
                   an empty cell is unknown, never 0. Integers are exact, up to 128 bits: read `sumsq` as text or as \
                   a big integer, a double rounds it. `environment, scenario, buffer, repetition` name a run in every \
                   table. Cycles are ticks of the machine's TSC, which in an emulator are not a processor's: \
                   instructions, where a run's environment.json has them as its `unit`.\n"
        .to_owned();
    for entry in entries {
        out += &format!(
            "\n## {}: {}\n\n| column | kind | meaning |\n|---|---|---|\n",
            entry.file, entry.rows
        );
        for (name, kind, meaning) in &entry.columns {
            out += &format!("| `{name}` | {kind} | {} |\n", meaning.replace('|', "\\|"));
        }
    }
    out
}
