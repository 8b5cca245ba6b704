// SPDX-License-Identifier: GPL-2.0

//! A real Prometheus, from Debian.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure, Context, Result};
use serde_json::Value;
use xcap_machines::cache::Cache;
use xcap_machines::provide::root::{Recipe, Root};

/// More than it takes on a machine that is busy with all else.
const PATIENCE: Duration = Duration::from_secs(120);

/// Debian with Prometheus.
pub fn root() -> Result<Root> {
    let recipe = Recipe {
        suites: &["trixie".to_owned()],
        packages: &["prometheus".to_owned()],
    };
    Root::ensure(&Cache::open()?, "prometheus", &recipe)
}

/// One that runs until it is dropped.
pub struct Prometheus {
    child: Child,
    port: u16,
    log: PathBuf,
}

impl Prometheus {
    pub fn start(folder: &Path, exporter: u16) -> Result<Self> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
            .local_addr()?
            .port();
        let job = |path: &str| {
            format!("- job_name: {path}\n  metrics_path: /{path}\n  static_configs: [{{targets: ['127.0.0.1:{exporter}']}}]\n")
        };
        let config = folder.join("prometheus.yml");
        let jobs = job("openmetrics") + &job("text");
        std::fs::write(
            &config,
            format!("global: {{scrape_interval: 1s, scrape_timeout: 1s}}\nscrape_configs:\n{jobs}"),
        )?;
        let log = folder.join("log");
        let child = root()?
            .sandbox()
            .bind(folder)
            .command("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.join("data").display()
            ))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&log)?)
            .spawn()?;
        Ok(Self { child, port, log })
    }

    /// What it answers to a query, in no order.
    pub fn values(&self, query: &str) -> Result<Vec<f64>> {
        let escaped: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        write!(stream, "GET /api/v1/query?query={escaped} HTTP/1.0\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let body = answer.split_once("\r\n\r\n").context("no answer")?.1;
        let body: Value =
            serde_json::from_str(body).with_context(|| format!("not JSON: {body}"))?;
        ensure!(body["status"] == "success", "{query}: {body}");
        let found = body["data"]["result"].as_array().context("no result")?;
        let values = found
            .iter()
            .map(|one| Ok(one["value"][1].as_str().context("no value")?.parse()?));
        values.collect()
    }

    /// Asks until the answer is as wanted.
    pub fn until(&self, query: &str, wanted: impl Fn(&[f64]) -> bool) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let found = self.values(query);
            if found.as_ref().is_ok_and(|found| wanted(found)) {
                return Ok(());
            }
            if Instant::now() > deadline {
                let log = std::fs::read_to_string(&self.log).unwrap_or_default();
                bail!("{query}: still {found:?}\n{log}");
            }
            // It scrapes once a second, and tells nobody.
            thread::sleep(Duration::from_millis(200));
        }
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
