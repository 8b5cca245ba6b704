// SPDX-License-Identifier: GPL-2.0

//! The folder of one run of a lab: its logs, and while it starts its guests' images.

use crate::cache::{self, Cache, Lock};
use anyhow::Result;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// How many labs this process has started.
static STARTED: AtomicU32 = AtomicU32::new(0);

/// Finished runs whose logs are kept.
const KEPT_RUNS: usize = 8;

/// Whoever finds it unlocked may remove it.
pub struct RunFolder {
    path: PathBuf,
    _lock: Lock,
}

impl RunFolder {
    pub fn new(cache: &Cache) -> Result<Self> {
        let runs = cache.path("runs");
        fs::create_dir_all(&runs)?;
        let _turn = cache.lock("runs")?;
        prune(cache, &runs)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
        // One process may start several in the same millisecond.
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}-{}-{number}", now.as_millis(), std::process::id());
        let lock = cache.lock(&format!("runs/{name}"))?;
        let path = runs.join(&name);
        fs::create_dir(&path)?;
        Ok(Self { path, _lock: lock })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder for images, made anew.
    pub fn make_images(&self) -> Result<PathBuf> {
        let images = images(&self.path);
        fs::create_dir(&images)?;
        Ok(images)
    }

    /// Removes the images: QEMU has read them once it runs.
    pub fn remove_images(&self) -> Result<()> {
        cache::remove(&images(&self.path))
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        // The next run prunes what can't be removed now.
        let _ = self.remove_images();
    }
}

fn images(run: &Path) -> PathBuf {
    run.join("images")
}

/// Removes what runs that have ended left behind, but for the latest logs.
fn prune(cache: &Cache, runs: &Path) -> Result<()> {
    let mut ended: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(runs)? {
        let path = entry?.path();
        if path.is_dir()
            && cache
                .try_lock(&format!("runs/{}", file_name(&path)))?
                .is_some()
        {
            cache::remove(&images(&path))?;
            ended.push(path);
        }
    }
    ended.sort();
    let surplus = ended.len().saturating_sub(KEPT_RUNS);
    for path in &ended[..surplus] {
        cache::remove(path)?;
        fs::remove_file(runs.join(format!("{}.lock", file_name(path))))?;
    }
    Ok(())
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
