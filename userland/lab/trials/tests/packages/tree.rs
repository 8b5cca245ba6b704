// SPDX-License-Identifier: GPL-2.0

//! A Debian's tree that is worked on natively, and becomes a machine's disk.

use anyhow::{ensure, Context, Result};
use nix::unistd::geteuid;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;
use xcap_machines::cache::Cache;
use xcap_machines::provide::apt::proxy_options;
use xcap_machines::provide::root::Root;
use xcap_machines::run;

/// Room for the tree; a file with holes.
const SIZE: &str = "8G";

/// A layer over a root, which stays as it is. What is mounted is so for one command, out of the host's sight: nothing
/// has to be unmounted.
pub struct Tree {
    folder: TempDir,
    root: PathBuf,
}

impl Tree {
    pub fn over(cache: &Cache, root: &Root) -> Result<Self> {
        ensure!(
            geteuid().is_root(),
            "apt installs packages into a tree here, which takes root: run this as root"
        );
        // Gigabytes: /tmp may be memory.
        let folder = tempfile::tempdir_in(cache.path(""))?;
        for name in ["upper", "work", "tree", "repository"] {
            fs::create_dir(folder.path().join(name))?;
        }
        Ok(Self {
            folder,
            root: root.path().to_owned(),
        })
    }

    /// Where the repository is to be, which the tree has as /mnt.
    pub fn repository(&self) -> PathBuf {
        self.folder.path().join("repository")
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs a script in it; gives all that it said.
    pub fn sh(&self, script: &str) -> Result<String> {
        let mut inside = Command::new("sh");
        inside.args([
            "-ec",
            "mount --bind repository tree/mnt; mount -t proc proc tree/proc; mount --rbind /dev tree/dev; \
             : >>tree/etc/resolv.conf; mount --bind /etc/resolv.conf tree/etc/resolv.conf; \
             exec 2>&1 </dev/null; exec chroot tree env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
             DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 HOME=/root bash -ec \"$1\"",
            "sh",
            script,
        ]);
        let said = self.mounted(&inside).output()?;
        let text = String::from_utf8_lossy(&said.stdout).into_owned();
        let complaint = String::from_utf8_lossy(&said.stderr);
        ensure!(
            said.status.success(),
            "'{script}' failed:\n{text}{complaint}"
        );
        Ok(text)
    }

    /// Has apt take packages from the repository, too.
    pub fn add_source(&self, line: &str) -> Result<()> {
        let proxies = proxy_options().join(";\n") + ";\n";
        let layer = self.folder.path().join("upper/etc/apt");
        fs::create_dir_all(layer.join("sources.list.d"))?;
        fs::create_dir_all(layer.join("apt.conf.d"))?;
        fs::write(layer.join("sources.list.d/xcap.list"), format!("{line}\n"))?;
        if proxies.len() > 2 {
            fs::write(layer.join("apt.conf.d/90proxy"), proxies)?;
        }
        Ok(())
    }

    /// The disk, raw, an ext4 file system with all of it. `tools` has what makes one.
    pub fn disk(&self, tools: &Root) -> Result<PathBuf> {
        let disk = self.folder.path().join("disk");
        let sandbox = tools.sandbox().bind(self.folder.path());
        let mut make = sandbox.command("mke2fs");
        make.args(["-q", "-t", "ext4", "-d"]);
        make.arg(self.folder.path().join("tree"))
            .arg(&disk)
            .arg(SIZE);
        run::output(&mut self.mounted(&make)).context("cannot make the disk")?;
        Ok(disk)
    }

    /// The command as it is run where the tree is mounted.
    fn mounted(&self, command: &Command) -> Command {
        let root = self.root.display();
        let mount = format!(
            "mount -t overlay overlay -o 'lowerdir={root},upperdir=upper,workdir=work' tree; exec \"$@\""
        );
        let mut mounted = Command::new("unshare");
        mounted.current_dir(self.folder.path());
        mounted.args(["--mount", "sh", "-ec", &mount, "sh"]);
        mounted.arg(command.get_program()).args(command.get_args());
        mounted
    }
}
