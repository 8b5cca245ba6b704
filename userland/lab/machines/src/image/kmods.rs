// SPDX-License-Identifier: GPL-2.0

//! The kernel's own modules, as guests need them: with all that they depend on, and not compressed.

use crate::image::archive::Image;
use anyhow::{bail, Context, Result};
use std::collections::BTreeMap;
use std::fs;
use std::io::BufReader;
use std::path::Path;

/// Module name → its file and those it depends on, as `modules.dep` has them.
struct Index(BTreeMap<String, Vec<String>>);

impl Index {
    fn parse(text: &str) -> Self {
        let lines = text.lines().filter_map(|line| line.split_once(':'));
        let modules = lines.map(|(file, needs)| {
            let files = std::iter::once(file).chain(needs.split_whitespace());
            (name_of(file), files.map(str::to_owned).collect())
        });
        Self(modules.collect())
    }
}

/// `e1000e` of `kernel/drivers/net/ethernet/intel/e1000e/e1000e.ko.xz`.
fn name_of(file: &str) -> String {
    let name = file.rsplit('/').next().unwrap_or(file);
    name.split('.').next().unwrap_or(name).replace('-', "_")
}

/// Puts `wanted` and what they need under `/lib/modules/RELEASE`, with the list that modprobe reads.
pub fn add(image: &mut Image, modules_dir: &Path, release: &str, wanted: &[&str]) -> Result<()> {
    let list = modules_dir.join("modules.dep");
    let text = fs::read_to_string(&list).with_context(|| {
        let list = list.display();
        format!("cannot read '{list}', which 'depmod {release}' makes")
    })?;
    let built_in = fs::read_to_string(modules_dir.join("modules.builtin")).unwrap_or_default();
    let Index(index) = Index::parse(&text);
    let mut dependencies = String::new();
    let mut todo: Vec<String> = wanted.iter().map(|name| name.replace('-', "_")).collect();
    let mut done = std::collections::BTreeSet::new();
    while let Some(name) = todo.pop() {
        if !done.insert(name.clone()) {
            continue;
        }
        let Some(files) = index.get(&name) else {
            if built_in.lines().any(|file| name_of(file) == name) {
                continue;
            }
            bail!("kernel {release} has no module '{name}'");
        };
        todo.extend(files[1..].iter().map(|file| name_of(file)));
        let plain: Vec<&str> = files
            .iter()
            .map(|file| file.trim_end_matches(".xz"))
            .collect();
        dependencies.push_str(&format!("{}: {}\n", plain[0], plain[1..].join(" ")));
        let bytes = read(&modules_dir.join(&files[0]))?;
        image.file(
            &format!("/lib/modules/{release}/{}", plain[0]),
            0o644,
            bytes,
        );
    }
    image.file(
        &format!("/lib/modules/{release}/modules.dep"),
        0o644,
        dependencies,
    );
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let cannot = || format!("cannot read module '{}'", path.display());
    if path.extension().is_none_or(|e| e != "xz") {
        return fs::read(path).with_context(cannot);
    }
    let mut packed = BufReader::new(fs::File::open(path).with_context(cannot)?);
    let mut bytes = Vec::new();
    lzma_rs::xz_decompress(&mut packed, &mut bytes).with_context(cannot)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_module_needs_comes_with_it() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(
            dir.path().join("modules.dep"),
            "k/net-a.ko: k/b.ko k/c.ko\nk/b.ko: k/c.ko\nk/c.ko:\nk/d.ko:\n",
        )
        .unwrap();
        fs::write(dir.path().join("modules.builtin"), "k/core.ko\n").unwrap();
        fs::create_dir(dir.path().join("k")).unwrap();
        for module in ["net-a", "b", "c", "d"] {
            fs::write(dir.path().join(format!("k/{module}.ko")), module).unwrap();
        }
        let mut image = Image::default();
        add(&mut image, dir.path(), "7.3", &["net_a", "core"]).unwrap();
        let mut bytes = Vec::new();
        image.write(&mut bytes).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        for there in [
            "lib/modules/7.3/k/net-a.ko",
            "7.3/k/b.ko",
            "7.3/k/c.ko",
            "k/net-a.ko: k/b.ko k/c.ko\n",
        ] {
            assert!(text.contains(there), "{there}");
        }
        assert!(!text.contains("k/d.ko"));
        let unknown = add(&mut image, dir.path(), "7.3", &["nothing"]).unwrap_err();
        assert!(unknown.to_string().contains("no module 'nothing'"));
    }
}
