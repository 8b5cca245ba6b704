// SPDX-License-Identifier: GPL-2.0

//! What of plain text is a command to roff, made text.

/// Running text: names that stand in `backticks` are bold.
pub fn text(plain: &str) -> String {
    let mut out = String::new();
    for (index, part) in plain.split('`').enumerate() {
        if index > 0 {
            out += if index % 2 == 1 { "\\fB" } else { "\\fR" };
        }
        out += &escaped(part);
    }
    guarded(&out)
}

/// Lines as they stand, as an example.
pub fn example(lines: &str) -> String {
    let lines = lines.lines().map(|line| guarded(&escaped(line)) + "\n");
    format!(".nf\n{}.fi\n", lines.collect::<String>())
}

/// A paragraph that has a name: `entry` in bold, what it means set in.
pub fn entry(name: &str, meaning: &str) -> String {
    format!(".TP\n.B {}\n{}\n", escaped(name), text(meaning))
}

/// A hyphen that is typed is one that can be copied.
fn escaped(plain: &str) -> String {
    plain.replace('\\', "\\e").replace('-', "\\-")
}

/// A line that begins like a command is none.
fn guarded(line: &str) -> String {
    if line.starts_with(['.', '\'']) {
        format!("\\&{line}")
    } else {
        line.to_owned()
    }
}
