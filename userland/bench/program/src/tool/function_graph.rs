// SPDX-License-Identifier: GPL-2.0

//! ftrace's function_graph tracer, on one function, through tracefs.

use super::armed::{Armed, Reading};
use super::output;
use anyhow::{Context, Result};
use std::fs;

const FOLDER: &str = "/sys/kernel/tracing";

struct Tracing;

fn write(file: &str, text: &str) -> Result<()> {
    fs::write(format!("{FOLDER}/{file}"), text)
        .with_context(|| format!("cannot write '{text}' to tracefs' {file}"))
}

pub fn arm(function: &str) -> Result<Box<dyn Armed>> {
    write("set_ftrace_filter", function)?;
    let tracing = Box::new(Tracing);
    write("current_tracer", "function_graph")?;
    Ok(tracing)
}

impl Armed for Tracing {
    /// Its ring buffer.
    fn memory_kib(&self) -> Result<u64> {
        let text = fs::read_to_string(format!("{FOLDER}/buffer_total_size_kb"))?;
        let size = text
            .split_whitespace()
            .next()
            .and_then(|word| word.parse().ok());
        size.context("tracefs doesn't say how large its buffer is")
    }

    fn finish(self: Box<Self>) -> Result<Reading> {
        write("tracing_on", "0")?;
        output::function_graph(&fs::read_to_string(format!("{FOLDER}/trace"))?)
    }
}

impl Drop for Tracing {
    fn drop(&mut self) {
        let cleared = write("current_tracer", "nop")
            .and_then(|()| write("set_ftrace_filter", ""))
            .and_then(|()| write("tracing_on", "1"));
        if let Err(e) = cleared {
            eprintln!("xcap-bench: {e:#}");
        }
    }
}
