// SPDX-License-Identifier: GPL-2.0

//! The documentation in a browser, as wide as a phone and as wide as a desk.

use std::path::Path;

use serde_json::Value;
use xcap_browser::Window;

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
    let window = Window {
        width,
        height: 844,
        dark: false,
    };
    window.show(page, ASK).unwrap().answer
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
