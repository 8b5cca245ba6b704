// SPDX-License-Identifier: GPL-2.0

//! A Debian's tree that is worked on natively, and becomes a machine's disk.

use crate::machine::source;
use anyhow::{ensure, Context, Result};
use nix::unistd::geteuid;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;
use xcap_machines::boot::system::{System, AGENT, CONSOLE_SERVICE, SERVICE};
use xcap_machines::cache::Cache;
use xcap_machines::package::made;
use xcap_machines::provide::apt::proxy_options;
use xcap_machines::provide::root::Root;
use xcap_machines::{run, Materials};

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
        for name in ["upper", "work", "tree", "repository", "added"] {
            fs::create_dir(folder.path().join(name))?;
        }
        Ok(Self {
            folder,
            root: root.path().to_owned(),
        })
    }

    /// The same, whose apt knows of a repository of the lab's packages.
    pub fn with_packages(materials: &Materials, root: &Root) -> Result<Self> {
        let tree = Self::over(&materials.cache, root)?;
        let suite = materials.kernel.suite()?;
        made::repository(materials, suite, tree.folder(), &tree.repository())?;
        tree.add_source("packages", &source(suite))?;
        Ok(tree)
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

    /// Has apt take packages from there, too. `name` is the source's own.
    pub fn add_source(&self, name: &str, line: &str) -> Result<()> {
        let proxies = proxy_options().join(";\n") + ";\n";
        let layer = self.folder.path().join("upper/etc/apt");
        fs::create_dir_all(layer.join("sources.list.d"))?;
        fs::create_dir_all(layer.join("apt.conf.d"))?;
        let list = format!("sources.list.d/{name}.list");
        fs::write(layer.join(list), format!("{line}\n"))?;
        if proxies.len() > 2 {
            fs::write(layer.join("apt.conf.d/90proxy"), proxies)?;
        }
        Ok(())
    }

    /// The disk, raw, an ext4 file system with all of it. `tools` has what makes one.
    pub fn disk(&self, tools: &Root) -> Result<PathBuf> {
        let disk = self.folder.path().join("disk");
        let _ = fs::remove_file(&disk);
        let sandbox = tools.sandbox().bind(self.folder.path());
        let mut make = sandbox.command("mke2fs");
        make.args(["-q", "-t", "ext4", "-d"]);
        make.arg(self.folder.path().join("tree"))
            .arg(&disk)
            .arg(SIZE);
        run::output(&mut self.with_added(&make)).context("cannot make the disk")?;
        Ok(disk)
    }

    /// The disk of a machine that starts kernel `release` from it, and has the lab's `agent` as a service.
    pub fn system(&self, tools: &Root, agent: &Path, release: &str) -> Result<System> {
        let added = |path: &str| -> Result<PathBuf> {
            let path = self.folder.path().join("added").join(path);
            fs::create_dir_all(path.parent().context("it is in a folder")?)?;
            Ok(path)
        };
        fs::copy(agent, added(AGENT.trim_start_matches('/'))?)?;
        let units = "etc/systemd/system";
        for (name, text) in [SERVICE, CONSOLE_SERVICE] {
            fs::write(added(&format!("{units}/{name}"))?, text)?;
        }
        let wanted = added(&format!("{units}/sysinit.target.wants/{}", SERVICE.0))?;
        let _ = fs::remove_file(&wanted);
        symlink(format!("../{}", SERVICE.0), wanted)?;
        // It isn't the machine's first start, at which systemd asks questions and makes its caches.
        let id = "2f3e5a7b9c0d4e1f8a6b5c4d3e2f1a0b\n";
        fs::write(added("etc/machine-id")?, id)?;
        for done in ["etc/.updated", "var/.updated"] {
            fs::write(added(done)?, "")?;
        }
        Ok(System {
            disk: self.disk(tools)?,
            kernel: self.boot_file("vmlinuz", release, "cat")?,
            initramfs: self.boot_file("initrd.img", release, "cat")?,
            xen: None,
        })
    }

    /// The same, as a dom0.
    pub fn dom0(&self, tools: &Root, agent: &Path, release: &str) -> Result<System> {
        Ok(System {
            xen: Some(self.boot_file("xen", "*-amd64.gz", "zcat")?),
            ..self.system(tools, agent, release)?
        })
    }

    /// Out of the tree's /boot, as `read` reads it.
    fn boot_file(&self, name: &str, version: &str, read: &str) -> Result<PathBuf> {
        let to = self.folder.path().join("boot");
        fs::create_dir_all(&to)?;
        let script = format!("{read} tree/boot/{name}-{version} >boot/{name}");
        let mut copy = Command::new("sh");
        run::output(&mut self.mounted(copy.args(["-ec", &script])))
            .with_context(|| format!("there is no {name}-{version} in /boot"))?;
        Ok(to.join(name))
    }

    /// The command as it is run where the tree is mounted.
    fn mounted(&self, command: &Command) -> Command {
        let root = self.root.display();
        self.overlaid(
            &format!("lowerdir={root},upperdir=upper,workdir=work"),
            command,
        )
    }

    /// The same, for reading only, of the tree with what machines have besides.
    fn with_added(&self, command: &Command) -> Command {
        let root = self.root.display();
        self.overlaid(&format!("lowerdir=added:upper:{root}"), command)
    }

    fn overlaid(&self, layers: &str, command: &Command) -> Command {
        let mount = format!("mount -t overlay overlay -o '{layers}' tree; exec \"$@\"");
        let mut mounted = Command::new("unshare");
        mounted.current_dir(self.folder.path());
        mounted.args(["--mount", "sh", "-ec", &mount, "sh"]);
        mounted.arg(command.get_program()).args(command.get_args());
        mounted
    }
}
