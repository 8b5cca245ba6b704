// SPDX-License-Identifier: GPL-2.0

//! Debian's control files: what apt says of a package, and dpkg of those that are installed.

/// One paragraph: a package.
pub struct Paragraph<'a>(&'a str);

/// The paragraphs of a file, in its order.
pub fn paragraphs(text: &str) -> impl Iterator<Item = Paragraph<'_>> {
    let blocks = text.split("\n\n").map(str::trim);
    blocks.filter(|block| !block.is_empty()).map(Paragraph)
}

impl<'a> Paragraph<'a> {
    /// The first line of a field, as long as all that is asked for here; empty if there is no such field.
    pub fn field(&self, name: &str) -> &'a str {
        let mut lines = self.0.lines();
        let line = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.map_or("", str::trim)
    }

    /// The packages that a field of relations names: `a (>= 1), b:any | c` as [[a], [b, c]], of each of which one has to
    /// be there.
    pub fn relations(&self, name: &str) -> Vec<Vec<String>> {
        let alternatives = |group: &str| -> Vec<String> {
            let names = group.split('|').map(package_name);
            names
                .filter(|name| !name.is_empty())
                .map(str::to_owned)
                .collect()
        };
        let groups = self.field(name).split(',').map(alternatives);
        groups.filter(|group| !group.is_empty()).collect()
    }
}

/// `b` of ` b:any (>= 1) `.
fn package_name(relation: &str) -> &str {
    let word = relation.split_whitespace().next().unwrap_or_default();
    word.split(':').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "Package: tool\nVersion: 1:2.0-1\nDescription: short\n long\nDepends: libc6 (>= 2.38), \
                        awk:any | gawk, , other\n\n\nPackage: next\n";

    #[test]
    fn fields_belong_to_their_paragraph() {
        let all: Vec<_> = paragraphs(TEXT).collect();
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].field("Version"), "1:2.0-1");
        assert_eq!(all[1].field("Package"), "next");
        assert_eq!(all[1].field("Version"), "");
    }

    #[test]
    fn relations_are_names_without_versions() {
        let tool = paragraphs(TEXT).next().unwrap();
        let expected = [vec!["libc6"], vec!["awk", "gawk"], vec!["other"]];
        assert_eq!(tool.relations("Depends"), expected);
        assert!(tool.relations("Pre-Depends").is_empty());
    }
}
