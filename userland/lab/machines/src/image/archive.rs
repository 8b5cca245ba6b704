// SPDX-License-Identifier: GPL-2.0

//! Initramfs images: what a guest has, as one cpio archive.

use anyhow::{Context, Result};
use cpio::newc::{trailer, Builder, ModeFileType};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

enum Node {
    Directory,
    Link(String),
    File { mode: u32, bytes: Vec<u8> },
}

/// Paths are relative to the guest's `/`. Later files replace earlier ones.
#[derive(Default)]
pub struct Image {
    nodes: BTreeMap<String, Node>,
}

impl Image {
    pub fn directory(&mut self, path: &str) {
        self.parents(path);
        self.nodes.entry(relative(path)).or_insert(Node::Directory);
    }

    pub fn link(&mut self, path: &str, target: &str) {
        self.parents(path);
        self.nodes
            .insert(relative(path), Node::Link(target.to_owned()));
    }

    pub fn file(&mut self, path: &str, mode: u32, bytes: impl Into<Vec<u8>>) {
        self.parents(path);
        let bytes = bytes.into();
        self.nodes
            .insert(relative(path), Node::File { mode, bytes });
    }

    /// A file or a whole folder of the host, with its modes and links.
    pub fn copy(&mut self, from: &Path, to: &str) -> Result<()> {
        let cannot = || format!("cannot read '{}'", from.display());
        let from = fs::canonicalize(from).with_context(cannot)?;
        for entry in walkdir::WalkDir::new(&from) {
            let entry = entry?;
            let below = entry.path().strip_prefix(&from).expect("it is under it");
            let mut path = to.trim_end_matches('/').to_owned();
            if !below.as_os_str().is_empty() {
                path = format!("{path}/{}", below.display());
            }
            let kind = entry.file_type();
            if kind.is_symlink() {
                self.link(&path, &fs::read_link(entry.path())?.to_string_lossy());
            } else if kind.is_dir() {
                self.directory(&path);
            } else if kind.is_file() {
                let bytes = fs::read(entry.path()).with_context(cannot)?;
                let mode = entry.metadata()?.permissions().mode() & 0o7777;
                self.file(&path, mode, bytes);
            }
        }
        Ok(())
    }

    fn parents(&mut self, path: &str) {
        let path = relative(path);
        for (at, _) in path.match_indices('/') {
            self.nodes
                .entry(path[..at].to_owned())
                .or_insert(Node::Directory);
        }
    }

    pub fn write(&self, mut sink: impl Write) -> Result<()> {
        for (inode, (path, node)) in (1..).zip(&self.nodes) {
            let builder = Builder::new(path).ino(inode).uid(0).gid(0);
            let (builder, bytes): (_, &[u8]) = match node {
                Node::Directory => (
                    builder
                        .mode(0o755)
                        .set_mode_file_type(ModeFileType::Directory)
                        .nlink(2),
                    b"",
                ),
                Node::Link(target) => (
                    builder
                        .mode(0o777)
                        .set_mode_file_type(ModeFileType::Symlink),
                    target.as_bytes(),
                ),
                Node::File { mode, bytes } => (
                    builder
                        .mode(*mode)
                        .set_mode_file_type(ModeFileType::Regular),
                    bytes,
                ),
            };
            let mut entry = builder.write(&mut sink, bytes.len() as u32);
            entry.write_all(bytes)?;
            entry.finish()?;
        }
        trailer(&mut sink)?;
        sink.flush()?;
        Ok(())
    }
}

fn relative(path: &str) -> String {
    path.trim_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use cpio::newc::Reader;
    use std::io::Read;

    fn listing(image: &Image) -> Vec<(String, u32, String)> {
        let mut bytes = Vec::new();
        image.write(&mut bytes).unwrap();
        let mut rest: &[u8] = &bytes;
        let mut files = Vec::new();
        loop {
            let mut reader = Reader::new(rest).unwrap();
            if reader.entry().is_trailer() {
                return files;
            }
            let (name, mode) = (reader.entry().name().to_owned(), reader.entry().mode());
            let mut text = String::new();
            reader.read_to_string(&mut text).unwrap();
            files.push((name, mode, text));
            rest = reader.finish().unwrap();
        }
    }

    #[test]
    fn folders_come_before_what_is_in_them() {
        let mut image = Image::default();
        image.file("/lab/deep/x", 0o600, "text");
        image.link("/bin/sh", "busybox");
        let expected = [
            ("bin", 0o040755, ""),
            ("bin/sh", 0o120777, "busybox"),
            ("lab", 0o040755, ""),
            ("lab/deep", 0o040755, ""),
            ("lab/deep/x", 0o100600, "text"),
        ];
        let expected = expected.map(|(name, mode, text)| (name.to_owned(), mode, text.to_owned()));
        assert_eq!(listing(&image), expected);
    }

    #[test]
    fn a_folder_is_copied_with_modes_and_links() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("sub")).unwrap();
        fs::write(dir.path().join("sub/tool"), "#!").unwrap();
        fs::set_permissions(
            dir.path().join("sub/tool"),
            fs::Permissions::from_mode(0o711),
        )
        .unwrap();
        std::os::unix::fs::symlink("tool", dir.path().join("sub/alias")).unwrap();
        let mut image = Image::default();
        image.copy(dir.path(), "/opt").unwrap();
        let names: Vec<_> = listing(&image)
            .into_iter()
            .map(|(name, mode, _)| (name, mode))
            .collect();
        let expected = [
            ("opt", 0o040755),
            ("opt/sub", 0o040755),
            ("opt/sub/alias", 0o120777),
            ("opt/sub/tool", 0o100711),
        ];
        assert_eq!(names, expected.map(|(name, mode)| (name.to_owned(), mode)));
    }
}
