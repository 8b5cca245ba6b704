// SPDX-License-Identifier: GPL-2.0

//! The documentation in a browser, as wide as a phone and as wide as a desk.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Pages of each kind: prose, wide tables, a drawing of characters, a man page.
const PAGES: [&str; 4] = [
    "index.html",
    "docs/benchmarks.html",
    "docs/architecture.html",
    "man/xcap-read.1.html",
];

/// What the page is asked for by a script around it, as JSON.
const ASK: &str = r#"
addEventListener('load', () => {
  const page = document.querySelector('iframe').contentDocument, root = page.documentElement;
  const answer = document.createElement('pre');
  answer.id = 'answer';
  answer.textContent = JSON.stringify({
    scroll: root.scrollWidth, width: root.clientWidth,
    title: page.querySelector('main h1').textContent,
    size: parseFloat(getComputedStyle(page.querySelector('main p')).fontSize),
    styled: page.querySelector('main').getBoundingClientRect().width <= root.clientWidth,
  });
  document.body.append(answer);
});
"#;

fn look(page: &Path, width: u32) -> Value {
    let html = fs::read_to_string(page).unwrap();
    let html = html.replace('&', "&amp;").replace('"', "&quot;");
    let around = page.with_file_name("around.html");
    let frame = format!(
        r#"<iframe style="border: 0; width: {width}px; height: 844px" srcdoc="{html}"></iframe>"#
    );
    let text = format!("<!doctype html><meta charset=utf-8><link rel=icon href=data:,>{frame}<script>{ASK}</script>");
    fs::write(&around, text).unwrap();
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new("chromium")
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
        ])
        .args([
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ])
        .args(["--window-size=1400,1000", "--timeout=60000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("file://{}", around.display()))
        .output()
        .unwrap();
    let dom = String::from_utf8(output.stdout).unwrap();
    let answer = dom
        .split_once(r#"<pre id="answer">"#)
        .expect("the page didn't load")
        .1;
    let answer = answer.split_once("</pre>").unwrap().0;
    serde_json::from_str(
        &answer
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&"),
    )
    .unwrap()
}

#[test]
#[ignore = "makes a root of Debian's packages, and looks at pages in Chromium: make test"]
fn pages_fit_phones_and_desktops_and_their_links_hold() {
    let folder = tempfile::tempdir().unwrap();
    xcap_docs::make(folder.path()).unwrap();
    for page in PAGES {
        for width in [375, 1280] {
            let seen = look(&folder.path().join(page), width);
            let at = format!("{page} at {width}: {seen}");
            assert!(seen["scroll"].as_u64() <= seen["width"].as_u64(), "{at}");
            assert!(seen["size"].as_f64().unwrap() >= 14.0, "{at}");
            assert_eq!(seen["styled"], true, "{at}");
            assert!(!seen["title"].as_str().unwrap().is_empty(), "{at}");
        }
    }
}
