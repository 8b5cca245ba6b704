// SPDX-License-Identifier: GPL-2.0

//! The report in a browser.

use std::fs;
use std::path::Path;

use serde_json::Value;
use xcap_browser::{Seen, Window};

/// What the page is asked for by a script around it, as JSON.
const ASK: &str = r#"
addEventListener('load', () => {
  const frame = document.querySelector('iframe'), page = frame.contentDocument;
  const root = page.documentElement, wide = [], clipped = [], figures = [], cells = {};
  for (const folded of page.querySelectorAll('section > details')) folded.open = true;
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

/// Shows the page in a window of `width` pixels; gives what it looks like there.
pub fn look(page: &Path, width: u32, dark: bool) -> Value {
    // What is beside the report is not the page's.
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("report.html");
    fs::copy(page, &copy).unwrap();
    let window = Window {
        width,
        height: 900,
        dark,
    };
    let Seen { answer, console } = window.show(&copy, ASK).unwrap();
    assert!(console.is_empty(), "the browser's console: {console:?}");
    answer
}
