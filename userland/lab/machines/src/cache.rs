// SPDX-License-Identifier: GPL-2.0

//! What is made once and kept: `${XDG_CACHE_HOME:-~/.cache}/xcap`.
//!
//! An entry's name holds all that it depends on. It is made beside its place and renamed into it, under a lock: what
//! is in its place is whole.

use anyhow::{bail, Context, Result};
use nix::fcntl::{Flock, FlockArg};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

#[derive(Clone, Debug)]
pub struct Cache {
    dir: PathBuf,
}

/// Held as long as it lives.
pub struct Lock {
    _file: Flock<File>,
}

impl Cache {
    pub fn open() -> Result<Self> {
        let base = match std::env::var_os("XDG_CACHE_HOME").filter(|dir| !dir.is_empty()) {
            Some(dir) => PathBuf::from(dir),
            None => match std::env::var_os("HOME").filter(|dir| !dir.is_empty()) {
                Some(home) => PathBuf::from(home).join(".cache"),
                None => bail!("neither XDG_CACHE_HOME nor HOME is set: nowhere to keep the lab"),
            },
        };
        Self::at(base.join("xcap"))
    }

    pub fn at(dir: PathBuf) -> Result<Self> {
        fs::create_dir_all(&dir).with_context(|| format!("cannot make '{}'", dir.display()))?;
        Ok(Self { dir })
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// The folder `kind/key`, filled by `make` if it isn't there yet.
    pub fn entry(
        &self,
        kind: &str,
        key: &str,
        make: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<PathBuf> {
        let place = self.dir.join(kind).join(key);
        if place.is_dir() {
            return Ok(place);
        }
        let _lock = self.lock(&format!("{kind}/{key}"))?;
        if place.is_dir() {
            return Ok(place);
        }
        let partial = self.dir.join(kind).join(format!("{key}.partial"));
        remove(&partial)?;
        fs::create_dir_all(&partial)
            .with_context(|| format!("cannot make '{}'", partial.display()))?;
        make(&partial)?;
        fs::rename(&partial, &place)
            .with_context(|| format!("cannot name '{}'", place.display()))?;
        Ok(place)
    }

    /// Waits until nobody else holds the lock of this name.
    pub fn lock(&self, name: &str) -> Result<Lock> {
        if let Some(lock) = self.try_lock(name)? {
            return Ok(lock);
        }
        eprintln!("xcap-lab: waiting for another xcap-lab that is at {name}");
        let cannot = || format!("cannot lock {name}");
        let file = Flock::lock(self.lock_file(name)?, FlockArg::LockExclusive);
        let file = file.map_err(|(_, e)| e).with_context(cannot)?;
        Ok(Lock { _file: file })
    }

    /// The lock of this name, unless somebody holds it.
    pub fn try_lock(&self, name: &str) -> Result<Option<Lock>> {
        let file = Flock::lock(self.lock_file(name)?, FlockArg::LockExclusiveNonblock);
        Ok(file.ok().map(|file| Lock { _file: file }))
    }

    fn lock_file(&self, name: &str) -> Result<File> {
        let path = self.dir.join(format!("{name}.lock"));
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        File::create(&path).with_context(|| format!("cannot lock '{}'", path.display()))
    }
}

/// A short name for everything that `parts` say.
pub fn digest<T: AsRef<[u8]>>(parts: impl IntoIterator<Item = T>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        let part = part.as_ref();
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    hash.finalize()
        .iter()
        .take(6)
        .map(|b| format!("{b:02x}"))
        .collect()
}

/// Removes a folder with all in it, if it is there.
pub fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(e).with_context(|| format!("cannot remove '{}'", folder.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache() -> (tempfile::TempDir, Cache) {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::at(dir.path().join("xcap")).unwrap();
        (dir, cache)
    }

    #[test]
    fn an_entry_is_made_once() {
        let (_dir, cache) = cache();
        let made = cache
            .entry("kind", "key", |dir| Ok(fs::write(dir.join("a"), "1")?))
            .unwrap();
        assert_eq!(fs::read_to_string(made.join("a")).unwrap(), "1");
        let again = cache.entry("kind", "key", |_| bail!("made twice")).unwrap();
        assert_eq!(again, made);
    }

    #[test]
    fn what_was_left_half_made_is_made_anew() {
        let (_dir, cache) = cache();
        let failed = cache.entry("kind", "key", |dir| {
            fs::write(dir.join("half"), "")?;
            bail!("power cut")
        });
        assert!(failed.is_err());
        let made = cache
            .entry("kind", "key", |dir| Ok(fs::write(dir.join("whole"), "")?))
            .unwrap();
        assert!(made.join("whole").exists());
        assert!(!made.join("half").exists());
    }

    #[test]
    fn two_that_want_one_entry_make_it_once() {
        let (_dir, cache) = cache();
        let made = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let make = |_: &Path| {
                        made.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                        Ok(())
                    };
                    cache.entry("kind", "key", make).unwrap();
                });
            }
        });
        assert_eq!(made.into_inner(), 1);
    }

    #[test]
    fn the_digest_tells_apart_where_parts_end() {
        assert_ne!(digest(["ab", "c"]), digest(["a", "bc"]));
    }
}
