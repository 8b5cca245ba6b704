// SPDX-License-Identifier: GPL-2.0

//! The report in a browser.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// What the page is asked for by a script around it, as JSON.
const ASK: &str = r#"
addEventListener('load', () => {
  const frame = document.querySelector('iframe'), page = frame.contentDocument;
  const root = page.documentElement, wide = [], clipped = [], figures = [], cells = {};
  for (const one of page.querySelectorAll('body *')) {
    const box = one.getBoundingClientRect();
    if (box.width && box.right > root.clientWidth + 1 && !one.closest('.wide') && !one.closest('svg'))
      wide.push(one.tagName + ' ' + one.textContent.slice(0, 40));
  }
  for (const figure of page.querySelectorAll('figure')) {
    const svg = figure.querySelector('svg'), size = svg.getBoundingClientRect();
    if (size.width > 200 && size.height > 100) figures.push(figure.id);
    for (const text of svg.querySelectorAll('text')) {
      const box = text.getBoundingClientRect();
      if (box.left < size.left - 1 || box.right > size.right + 1 ||
          box.top < size.top - 1 || box.bottom > size.bottom + 1)
        clipped.push(figure.id + ': ' + text.textContent);
    }
  }
  for (const table of page.querySelectorAll('table[data-table]')) {
    const head = [...table.querySelectorAll('th')].map(one => one.textContent);
    cells[table.dataset.table] = [...table.querySelectorAll('tbody tr')].map(row =>
      Object.fromEntries([...row.children].map((cell, at) => [head[at],
        cell.dataset.value === undefined ? cell.textContent : Number(cell.dataset.value)])));
  }
  const background = frame.contentWindow.getComputedStyle(page.body).backgroundColor;
  const answer = document.createElement('pre');
  answer.id = 'answer';
  answer.textContent = JSON.stringify({
    width: root.clientWidth, scroll: root.scrollWidth, wide, clipped, figures, cells, background,
    broken: [...page.querySelectorAll('nav a, article a, .summary a')]
      .map(link => link.getAttribute('href')).filter(to => !page.querySelector(to)),
    text: page.body.innerText,
    outside: [...page.querySelectorAll('[src],link[href]')].map(one => one.outerHTML)
      .filter(text => !text.includes('"data:')),
  });
  frame.remove();
  document.body.append(answer);
});
"#;

fn chromium() -> PathBuf {
    let places = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&places)
        .flat_map(|place| {
            ["chromium", "chromium-browser", "google-chrome"].map(|name| place.join(name))
        })
        .find(|path| path.exists());
    found.expect("no Chromium here to look at the page with: install Debian's package chromium")
}

/// Shows the page in a window of `width` pixels; gives what it looks like there.
pub fn look(page: &Path, width: u32, dark: bool) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let report = fs::read_to_string(page).unwrap();
    let report = report.replace('&', "&amp;").replace('"', "&quot;");
    let around = folder.path().join("around.html");
    let frame = format!(
        r#"<iframe width="{width}" height="900" style="border:0" srcdoc="{report}"></iframe>"#
    );
    fs::write(&around, format!("<!doctype html><meta charset=utf-8><link rel=icon href=data:,>{frame}<script>{ASK}</script>")).unwrap();
    let mut command = Command::new(chromium());
    command.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--enable-logging=stderr",
        "--window-size=1400,1000",
        "--timeout=60000",
        "--dump-dom",
    ]);
    if dark {
        command.args(["--blink-settings=preferredColorScheme=0"]);
    }
    command.arg(format!(
        "--user-data-dir={}",
        folder.path().join("profile").display()
    ));
    let output = command
        .arg(format!("file://{}", around.display()))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let console: Vec<&str> = said
        .lines()
        .filter(|line| line.contains("CONSOLE"))
        .collect();
    assert!(console.is_empty(), "the browser's console: {console:?}");
    let dom = String::from_utf8(output.stdout).unwrap();
    let answer = dom
        .split_once(r#"<pre id="answer">"#)
        .expect("the page didn't load")
        .1;
    let answer = answer.split_once("</pre>").unwrap().0;
    let answer = answer
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&");
    serde_json::from_str(&answer).unwrap()
}
