// SPDX-License-Identifier: GPL-2.0

//! What patches/ is for: a module that crashes the stock kernel, built with each file's owner known, doesn't.

use crate::labs::World;
use crate::world::PATIENCE;
use anyhow::{ensure, Context, Result};
use libtest_mimic::Trial;
use std::path::{Path, PathBuf};
use xcap_machines::build::kbuild;
use xcap_machines::cache::Cache;
use xcap_machines::config::Copy;
use xcap_machines::materials::{kernel, machine_root, source_tree};
use xcap_machines::provide::kernel::Kernel;
use xcap_machines::provide::patched;
use xcap_machines::{Config, Lab, Materials, Place};

const FILES: &str = "/sys/kernel/debug/debugfs_files";

pub fn trials(world: &'static World) -> Vec<Trial> {
    vec![
        world.own_trial("without_an_owner_a_file_closed_after_rmmod_crashes", crash),
        world.own_trial(
            "with_an_owner_a_file_that_is_open_keeps_its_module",
            no_crash,
        ),
    ]
}

fn crash() -> Result<()> {
    let kernel = Workshop::open()?;
    let module = kernel.build(None, &[])?;
    let mut lab = boot(&module)?;
    let script = format!(
        "insmod /root/debugfs_files.ko && exec 3<{FILES}/read && rmmod debugfs_files && echo removed && \
         read until_told; exec 3<&-; echo closed"
    );
    let mut holder = lab.guest(Place::Bare).spawn(&["sh", "-c", &script])?;
    if let Err(e) = holder.wait_for_line("removed", PATIENCE) {
        return Err(lab.explain(e));
    }
    holder.close_stdin()?;
    let end = holder.wait(PATIENCE);
    ensure!(
        end.is_err(),
        "the file was closed after its module had gone, and nothing broke: is the stock kernel's crate mended?"
    );
    let logs = lab.logs().read()?;
    let told = |text| logs.iter().any(|(_, log)| log.contains(text));
    ensure!(
        told("full_proxy_release") && told("Oops"),
        "the guest went, but not by the oops that was to come; its logs: {}",
        lab.logs().folder().display()
    );
    Ok(())
}

fn no_crash() -> Result<()> {
    let kernel = Workshop::open()?;
    let Some(metadata) = kernel.patched_metadata()? else {
        eprintln!(
            "the patches are for 7.3 and later, not for {}",
            kernel.kernel.release
        );
        return Ok(());
    };
    let module = kernel.build(Some(&metadata), &["DEBUGFS_OWNER=y"])?;
    let mut lab = boot(&module)?;
    check(&lab).map_err(|e| lab.explain(e))
}

fn check(lab: &Lab) -> Result<()> {
    let guest = lab.guest(Place::Bare);
    guest.sh("insmod /root/debugfs_files.ko")?;
    guest.sh(&format!(
        "echo 7 >{FILES}/read_write && grep -qx 7 {FILES}/read_write"
    ))?;
    let opened = [
        "<read",
        ">write",
        "<>read_write",
        "<read_binary",
        ">write_binary",
        "<>read_write_binary",
        "<scope/read",
    ];
    for open in opened {
        let refused = guest.sh(&format!(
            "cd {FILES}; exec 3{open}; ! rmmod debugfs_files 2>&1"
        ))?;
        ensure!(
            refused.contains("temporarily unavailable"),
            "3{open}: rmmod said '{refused}'"
        );
    }
    guest.sh("rmmod debugfs_files")?;
    lab.logs().check()
}

struct Workshop {
    cache: Cache,
    kernel: Kernel,
    patches: PathBuf,
}

impl Workshop {
    fn open() -> Result<Self> {
        let cache = Cache::open()?;
        Ok(Self {
            kernel: kernel(&cache)?,
            patches: source_tree()?.join("patches"),
            cache,
        })
    }

    fn build(&self, metadata: Option<&Path>, settings: &[&str]) -> Result<PathBuf> {
        let source = self.patches.join("test");
        kbuild::build_against(&self.cache, &self.kernel, metadata, &source, settings)
    }

    /// None for a kernel that lacks what the patches build on.
    fn patched_metadata(&self) -> Result<Option<PathBuf>> {
        let mut version = self
            .kernel
            .release
            .split(['.', '-', '+'])
            .map_while(|n| n.parse().ok());
        let version: (u32, u32) = version
            .next()
            .zip(version.next())
            .context("a kernel's version")?;
        if version < (7, 3) {
            return Ok(None);
        }
        let patches = patched::series(&self.patches)?;
        let machine = machine_root(&self.cache)?;
        patched::metadata(&self.cache, &self.kernel, &machine, &patches).map(Some)
    }
}

fn boot(module: &Path) -> Result<Lab> {
    let ko = module.join("debugfs_files.ko");
    let config = Config {
        load: false,
        copies: vec![Copy {
            from: ko.clone(),
            to: "/root/debugfs_files.ko".to_owned(),
        }],
        ..Config::of([Place::Bare])
    };
    Lab::boot(&Materials::prepare(Some(&ko))?, &config)
}
