// SPDX-License-Identifier: GPL-2.0

//! A Debian that is a Xen host, of Debian's packages and xcap's repository alone, and a paravirtual guest of it that is
//! made of the package's example: xcap is in use in both.

use crate::machine::{is_well, started};
use crate::tree::Tree;
use anyhow::{ensure, Result};
use xcap_machines::boot::system::guest_append;
use xcap_machines::provide::disk;
use xcap_machines::{package, Config, Guest, Lab, Materials, Place};
use xcap_trials::capture::count_frames;

/// What the example gives the guest, and what Xen needs for it.
const GUEST_MEMORY_MIB: u32 = 1024 + 128;

#[test]
#[ignore = "starts a Xen host from a disk: minutes; needs root"]
fn dom0_and_domu_have_xcap_from_packages() {
    xen().unwrap();
}

fn xen() -> Result<()> {
    let materials = Materials::prepare(None)?;
    let Materials { cache, kernel, .. } = &materials;
    let tree = Tree::with_packages(&materials, &disk::root(cache, kernel)?)?;
    // As people's systems are, which documentation is installed on.
    tree.sh("rm /etc/dpkg/dpkg.cfg.d/99mmdebstrap")?;
    tree.sh("apt-get update && apt-get install --yes xen-system-amd64 iproute2")?;
    tree.sh("apt-get install --yes -o APT::Install-Recommends=true xcap")?;

    let agent = materials.program("xcap-guest")?;
    let system = tree.dom0(&package::root(cache)?, &agent, &kernel.release)?;
    let config = Config {
        domu_memory_mib: GUEST_MEMORY_MIB,
        ..Config::of([Place::Dom0])
    };
    let mut lab = Lab::boot_system(&materials, &config, &system)?;
    let outcome = in_both(&mut lab, &kernel.release);
    lab.judged(outcome)
}

fn in_both(lab: &mut Lab, release: &str) -> Result<()> {
    let dom0 = lab.guest(Place::Dom0).clone();
    started(&dom0, release)?;
    in_use(&dom0, "dom0")?;
    let guest = dom0.spawn(&["sh", "-ec", &guest(release)])?;
    lab.meet_guest(guest)?;
    let domu = lab.guest(Place::DomU);
    started(domu, release)?;
    in_use(domu, "domU-pv")?;
    dom0.sh("systemctl stop xcap; xl destroy capture")?;
    is_well(&dom0)
}

/// Makes a guest by the example, on the second disk, and carries its console. xl gives a disk ten seconds, which are few
/// where the host has much else to do.
fn guest(release: &str) -> String {
    let append = guest_append();
    format!(
        "exec 3>&1 >&2
         ip link add xenbr0 type bridge; ip link set xenbr0 up
         mkdir -p /var/lib/xen/capture
         cp /boot/vmlinuz-{release} /var/lib/xen/capture/vmlinuz
         cp /boot/initrd.img-{release} /var/lib/xen/capture/initrd.img
         sed -e 's|/dev/vg0/capture|/dev/vdb|' -e 's|xvda ro |xvda rw {append} |' \
             /usr/share/doc/xcap/examples/domU.cfg >/etc/xen/capture.cfg
         for attempt in 1 2 3; do xl create /etc/xen/capture.cfg && break; done
         path=/local/domain/$(xl domid capture)/console/tty
         until tty=$(xenstore-read $path) && [ -n \"$tty\" ]; do sleep 1; done
         exec /usr/local/lib/lab-agent relay \"$tty\" >&3"
    )
}

fn in_use(guest: &Guest, role: &str) -> Result<()> {
    guest.sh("systemctl start xcap")?;
    let stats = guest.sh("cat /sys/kernel/debug/xcap/stats")?;
    let stats = xcap_stats::parse(&stats)?;
    ensure!(stats.role == role, "{role} is taken for {}", stats.role);
    count_frames(guest, "/")?;
    println!("{}", guest.sh("xcap-read")?);
    Ok(())
}
