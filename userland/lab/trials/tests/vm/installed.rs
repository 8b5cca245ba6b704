// SPDX-License-Identifier: GPL-2.0

//! A Debian with nothing but apt and xcap's repository: installed, in use, purged, and nothing left.

use crate::labs::World;
use anyhow::{ensure, Context, Result};
use libtest_mimic::Trial;
use std::path::{Path, PathBuf};
use xcap_machines::config::Copy;
use xcap_machines::package;
use xcap_machines::package::made;
use xcap_machines::package::repository::KEYRING;
use xcap_machines::provide::disk;
use xcap_machines::{Config, Guest, Lab, Materials, Place};
use xcap_trials::capture::count_frames;
use xcap_trials::debian::{self, DEBIAN};

/// Where guests have the repository.
const REPOSITORY: &str = "/packages";

pub fn trials(world: &'static World) -> Vec<Trial> {
    vec![world.own_trial(
        "a_debian_installs_uses_and_purges_xcap_with_apt_alone",
        || apt_alone(world),
    )]
}

fn apt_alone(world: &World) -> Result<()> {
    let materials = world.materials()?;
    let work = tempfile::tempdir()?;
    let place = work.path().join("repository");
    let disk = provide(materials, work.path(), &place)?;
    let config = Config {
        copies: vec![Copy {
            from: place,
            to: REPOSITORY.to_owned(),
        }],
        ..debian::machine(disk)
    };
    let mut lab = Lab::boot(materials, &config)?;
    let debian = Debian {
        guest: lab.guest(Place::Bare),
        suite: materials.kernel.suite()?,
    };
    let outcome = debian.go_through(&materials.kernel.release);
    lab.judged(outcome)
}

/// Makes the repository; gives the disk.
fn provide(materials: &Materials, work: &Path, place: &Path) -> Result<PathBuf> {
    let Materials { cache, kernel, .. } = materials;
    made::repository(materials, kernel.suite()?, work, place)?;
    disk::installed(cache, kernel, &package::root(cache)?)
}

/// The system on the disk, by way of the lab's own in its initramfs.
struct Debian<'a> {
    guest: &'a Guest,
    suite: &'a str,
}

impl Debian<'_> {
    fn go_through(&self, release: &str) -> Result<()> {
        self.mount()?;
        let before = self.files()?;
        self.install(release)?;
        self.sh("modprobe xcap")?;
        count_frames(self.guest, DEBIAN)?;
        self.purge(release)?;
        let after = self.files()?;
        let left: Vec<_> = after
            .lines()
            .filter(|file| !before.contains(file))
            .collect();
        ensure!(left.is_empty(), "purged, but not gone: {left:#?}");
        Ok(())
    }

    fn mount(&self) -> Result<()> {
        debian::mount(self.guest)?;
        self.guest.sh(&format!(
            "cd {DEBIAN} && mkdir -p mnt && mount --bind {REPOSITORY} mnt && \
             rm -rf etc/apt/sources.list etc/apt/sources.list.d/* etc/*/*.d/99mmdebstrap && \
             echo 'deb [signed-by=/mnt/{KEYRING}] file:/mnt {} main' >etc/apt/sources.list",
            self.suite
        ))?;
        Ok(())
    }

    /// Runs a script there; gives all that it said.
    fn sh(&self, script: &str) -> Result<String> {
        let script =
            format!("exec 2>&1; export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8; {script}");
        let said = self
            .guest
            .run(&["chroot", "/debian", "bash", "-ec", &script])?;
        let text = said.text();
        ensure!(said.success(), "'{script}' failed:\n{text}");
        Ok(text)
    }

    /// What an installation may leave behind, by name.
    fn files(&self) -> Result<String> {
        self.guest.sh(
            "cd /debian && find . -xdev | grep -Ev '^./(tmp|var/(cache|log|lib/(dpkg|apt)))(/|$)' | sort",
        )
    }

    fn install(&self, release: &str) -> Result<()> {
        let said = self.sh("apt-get update && apt-get install --yes xcap")?;
        let remarks: Vec<_> = said
            .lines()
            .filter(|line| line.starts_with("W:") || line.starts_with("E:"))
            .collect();
        ensure!(remarks.is_empty(), "apt has remarks: {remarks:#?}");
        let installed = self.sh(
            "dpkg-query -W -f '${db:Status-Status} ${Package}\\n' | sed -n 's/^installed \\(xcap.*\\)/\\1/p'",
        )?;
        let modules = format!("xcap-modules-{release}");
        let mut expected = ["xcap", &modules, "xcap-modules-amd64"];
        expected.sort();
        ensure!(
            installed.lines().eq(expected),
            "apt installed {installed}, not {expected:?}"
        );
        let signer = self.sh("modinfo --field signer xcap")?;
        ensure!(
            signer.trim() == "Builder of xcap's modules",
            "signed by '{signer}'"
        );
        let enabled = self.sh("systemctl is-enabled xcap || true")?;
        ensure!(enabled.trim() == "disabled", "the service is {enabled}");
        Ok(())
    }

    fn purge(&self, release: &str) -> Result<()> {
        self.sh("modprobe --remove xcap && apt-get purge --yes --autoremove 'xcap*'")?;
        let gone = self.sh("! modprobe xcap")?;
        ensure!(gone.contains("xcap not found"), "modprobe said {gone}");
        let listed = self.sh(&format!("! grep xcap /lib/modules/{release}/modules.*"));
        listed.map(drop).context("still among the kernel's modules")
    }
}
