// SPDX-License-Identifier: GPL-2.0

//! A real Prometheus takes what xcap-read exports, and the dashboard's queries find it there.

mod server;

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::thread;

use anyhow::{ensure, Context, Result};
use serde_json::Value;
use server::{root, Prometheus};
use xcap_machines::materials::tools_dir;
use xcap_stats::{parse, rewritten, Stage};

const STATS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tools/read/tests/data/dom0.stats"
);
const DASHBOARD: &str = include_str!("../../../../tools/read/metrics/dashboard.json");

/// Calls of the stage `copy` in that file.
const COPIES: u64 = 10_000;

fn xcap_read(arguments: &[&str]) -> Result<String> {
    let output = Command::new(tools_dir()?.join("xcap-read"))
        .args(arguments)
        .output()?;
    ensure!(
        output.status.success(),
        "xcap-read: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?)
}

/// The same file when each call had been made once more.
fn doubled(text: &str) -> Result<String> {
    let twice = |stage: &Stage| {
        let mut twice = stage.clone();
        twice.merge(stage);
        twice
    };
    Ok(rewritten(text, twice)?)
}

#[test]
#[ignore = "makes a root of Debian's packages"]
fn promtool_finds_no_fault_with_the_textfile() {
    promtool().unwrap();
}

fn promtool() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("xcap.prom");
    xcap_read(&[STATS, "--textfile", file.to_str().context("a path")?])?;
    let mut command = root()?.sandbox().command("promtool");
    let output = command
        .args(["check", "metrics"])
        .stdin(std::fs::File::open(&file)?)
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned()
        + &String::from_utf8_lossy(&output.stdout);
    ensure!(
        output.status.success() && said.trim().is_empty(),
        "promtool: {said}"
    );
    Ok(())
}

#[test]
#[ignore = "makes a root of Debian's packages"]
fn prometheus_scrapes_both_formats_and_answers_the_dashboard() {
    scraped().unwrap();
}

fn scraped() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let later = Arc::new(AtomicBool::new(false));
    let exporter = exporter(folder.path(), Arc::clone(&later))?;
    let prometheus = Prometheus::start(folder.path(), exporter)?;
    let copies = "xcap_call_cycles_count{stage=\"copy\"}";
    prometheus.until(copies, |found| found == [COPIES as f64; 2])?;
    later.store(true, Ordering::SeqCst);
    prometheus.until(copies, |found| found == [2.0 * COPIES as f64; 2])?;

    let stats = parse(&std::fs::read_to_string(STATS)?)?;
    let copy = stats
        .stages
        .iter()
        .find(|stage| stage.stage == "copy")
        .context("no stage copy")?;
    let mean = copy.sum as f64 / copy.count as f64;
    let asked = "xcap_call_cycles_sum{stage=\"copy\"} / xcap_call_cycles_count";
    for value in prometheus.values(asked)? {
        ensure!((value - mean).abs() < 1e-6, "a mean of {value}, not {mean}");
    }
    let median =
        prometheus.values("histogram_quantile(0.5, xcap_call_cycles_bucket{stage=\"copy\"})")?;
    let known = copy
        .histogram
        .quantile(0.5, copy.min, copy.max)
        .context("a median")?;
    for value in median {
        // As wide as an exported bucket is.
        ensure!(
            (value / known.value as f64 - 1.0).abs() < 0.5,
            "a median of {value}, not {}",
            known.value
        );
    }

    let dashboard: Value = serde_json::from_str(DASHBOARD)?;
    let panels = dashboard["panels"].as_array().context("no panels")?;
    let mut queries = 0;
    for panel in panels {
        for target in panel["targets"].as_array().context("no targets")? {
            let query = target["expr"].as_str().context("no query")?;
            let query = query
                .replace("$__rate_interval", "5m")
                .replace("$instance", ".*")
                .replace("$stage", ".*");
            ensure!(
                !query.contains('$'),
                "{}: a variable that nobody sets: {query}",
                panel["title"]
            );
            let found = prometheus.values(&query)?;
            ensure!(
                !found.is_empty(),
                "{}: nothing is found by {query}",
                panel["title"]
            );
            queries += 1;
        }
    }
    ensure!(queries >= panels.len(), "{queries} queries");
    let rate = prometheus.values("sum(rate(xcap_call_cycles_count{stage=\"copy\"}[5m]))")?;
    ensure!(rate[0] > 0.0, "nothing came in: {rate:?}");
    Ok(())
}

/// Serves `/openmetrics` and `/text`, as an exporter does.
fn exporter(folder: &Path, later: Arc<AtomicBool>) -> Result<u16> {
    let texts = |name: &str, stats: &str| -> Result<[String; 2]> {
        let file = folder.join(name);
        std::fs::write(&file, stats)?;
        let (file, prom) = (
            file.display().to_string(),
            folder.join("xcap.prom").display().to_string(),
        );
        xcap_read(&[&file, "--textfile", &prom])?;
        Ok([
            xcap_read(&[&file, "--openmetrics"])?,
            std::fs::read_to_string(prom)?,
        ])
    };
    let stats = std::fs::read_to_string(STATS)?;
    let [now, then] = [texts("later", &doubled(&stats)?)?, texts("first", &stats)?];
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = listener.local_addr()?.port();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let texts = if later.load(Ordering::SeqCst) {
                &now
            } else {
                &then
            };
            // Who doesn't ask gets no answer, and Prometheus asks again.
            let _ = answer(&mut stream, texts);
        }
    });
    Ok(port)
}

fn answer(stream: &mut TcpStream, [open, text]: &[String; 2]) -> Result<()> {
    let mut asked = BufReader::new(stream.try_clone()?);
    let mut first = String::new();
    asked.read_line(&mut first)?;
    let mut line = String::new();
    while asked.read_line(&mut line)? > 2 {
        line.clear();
    }
    let (kind, body) = if first.contains("/openmetrics") {
        (
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
            open,
        )
    } else {
        ("text/plain; version=0.0.4; charset=utf-8", text)
    };
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )?;
    Ok(())
}
