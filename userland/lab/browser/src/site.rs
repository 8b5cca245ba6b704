// SPDX-License-Identifier: GPL-2.0

//! Pages that need a server: those that fetch their parts, and have workers.

use std::fs;
use std::path::{Component, Path};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{ensure, Context, Result};
use serde_json::Value;
use tiny_http::{Header, Method, Request, Response, Server};

use super::browser;

/// A page takes seconds to load on a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);

/// A folder of pages, and files beside them.
#[derive(Clone, Copy, Debug)]
pub struct Site<'a> {
    pub folder: &'a Path,
    /// By their addresses, which begin with a slash.
    pub files: &'a [(&'a str, &'a [u8])],
}

/// Ended with whatever else ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Site<'_> {
    /// Shows the site's `index.html` in a frame and runs `script`, a module, around it, which sends its answer as JSON
    /// to `/answer`.
    ///
    /// # Errors
    ///
    /// There is no Chromium, or nothing was answered in three minutes.
    pub fn show(&self, script: &str) -> Result<Value> {
        let around = format!(
            "<!doctype html><meta charset=utf-8><link rel=icon href=data:,>\
             <iframe src=/index.html width=1400 height=900></iframe><script type=module>{script}</script>"
        );
        let server = Server::http("127.0.0.1:0").map_err(|error| anyhow::anyhow!(error))?;
        let profile = tempfile::tempdir()?;
        let mut command = browser(profile.path())?;
        // Else it ends when it has shown the page.
        command.arg("--remote-debugging-port=0");
        command.arg(format!("http://{}/around.html", server.server_addr()));
        let browser = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let browser = Running(browser.context("cannot start Chromium")?);
        let deadline = Instant::now() + PATIENCE;
        let answer = loop {
            let left = deadline.saturating_duration_since(Instant::now());
            ensure!(!left.is_zero(), "the page answered nothing");
            let Some(mut request) = server.recv_timeout(left)? else {
                continue;
            };
            if *request.method() == Method::Post {
                let mut answer = String::new();
                request.as_reader().read_to_string(&mut answer)?;
                request.respond(Response::empty(204))?;
                break answer;
            }
            self.answer(request, &around)?;
        };
        drop(browser);
        serde_json::from_str(&answer).with_context(|| format!("the page answered '{answer}'"))
    }

    fn answer(&self, request: Request, around: &str) -> Result<()> {
        let path = request
            .url()
            .split('?')
            .next()
            .unwrap_or_default()
            .to_owned();
        let file = self.files.iter().find(|(name, _)| *name == path);
        let bytes = match file {
            _ if path == "/around.html" => Some(around.as_bytes().to_vec()),
            Some((_, bytes)) => Some(bytes.to_vec()),
            None => self.read(&path),
        };
        // A page that has gone meanwhile wants no answer.
        let _ = match bytes {
            Some(bytes) => request.respond(Response::from_data(bytes).with_header(kind(&path)?)),
            None => request.respond(Response::empty(404)),
        };
        Ok(())
    }

    fn read(&self, path: &str) -> Option<Vec<u8>> {
        let path = Path::new(path.trim_start_matches('/'));
        let is_below = path
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        is_below.then(|| fs::read(self.folder.join(path)).ok())?
    }
}

/// Browsers compile what they take for a program only.
fn kind(path: &str) -> Result<Header> {
    let kind = match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript",
        Some("css") => "text/css",
        Some("json") => "application/json",
        Some("wasm") => "application/wasm",
        _ => "application/octet-stream",
    };
    let header = Header::from_bytes("Content-Type", kind);
    header.map_err(|()| anyhow::anyhow!("'{kind}' is no header's value"))
}
