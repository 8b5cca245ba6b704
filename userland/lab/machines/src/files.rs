// SPDX-License-Identifier: GPL-2.0

//! Files that are whole or not there.

use anyhow::{Context, Result};
use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tempfile::NamedTempFile;

/// Writes a file whole, or leaves it as it was; makes the folders that it is in.
///
/// Whoever reads the path meanwhile sees the old text or the new. The umask decides who may read it.
pub fn replace(path: &Path, text: impl AsRef<[u8]>) -> Result<()> {
    let cannot = || format!("cannot write '{}'", path.display());
    let file = beside(path, text.as_ref()).with_context(cannot)?;
    file.persist(path).with_context(cannot)?;
    Ok(())
}

/// Like [`replace`], but an error where there is such a file.
pub fn create(path: &Path, text: impl AsRef<[u8]>) -> Result<()> {
    let cannot = || format!("cannot write '{}'", path.display());
    let file = beside(path, text.as_ref()).with_context(cannot)?;
    let created = file.persist_noclobber(path);
    created.map_err(|error| error.error).with_context(cannot)?;
    Ok(())
}

/// A file of that text in the path's folder, gone if it isn't put in place.
fn beside(path: &Path, text: &[u8]) -> io::Result<NamedTempFile> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new()
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder)?;
    file.write_all(text)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_nothing_is_left_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/result.json");
        replace(&path, "old").unwrap();
        replace(&path, "new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::read_dir(dir.path().join("deep")).unwrap().count(), 1);
    }

    #[test]
    fn what_is_there_is_not_created_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/part.json");
        create(&path, "first").unwrap();
        let error = format!("{:#}", create(&path, "second").unwrap_err());
        let cannot = format!("cannot write '{}': File exists", path.display());
        assert!(error.starts_with(&cannot), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "first");
        assert_eq!(fs::read_dir(dir.path().join("deep")).unwrap().count(), 1);
    }

    #[test]
    fn what_cannot_be_written_is_named_and_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("taken");
        fs::create_dir(&folder).unwrap();
        let error = replace(&folder, "text").unwrap_err().to_string();
        assert_eq!(error, format!("cannot write '{}'", folder.display()));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
