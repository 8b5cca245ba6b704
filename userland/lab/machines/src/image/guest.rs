// SPDX-License-Identifier: GPL-2.0

//! What is in each guest.

use crate::config::emulation::Clock;
use crate::config::{Config, Copy, DomUType};
use crate::image::archive::Image;
use crate::image::kmods;
use crate::materials::Materials;
use crate::place::Place;
use crate::provide::kernel::Kernel;
use anyhow::{bail, Result};
use std::fs;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

pub const RECEIVER_MAC: &str = "52:54:00:00:00:02";
pub const SENDER_MAC: &str = "52:54:00:00:00:01";
pub const DOMU_MAC: &str = "00:16:3e:00:00:01";

const XEN_PROGRAMS: [(&str, &str); 11] = [
    ("/usr/lib/xen-4.20/bin/xl", "/usr/sbin/xl"),
    ("/usr/lib/xen-4.20/bin/xenstored", "/usr/sbin/xenstored"),
    ("/usr/lib/xen-4.20/bin/xenconsoled", "/usr/sbin/xenconsoled"),
    (
        "/usr/lib/xen-4.20/bin/xen-init-dom0",
        "/usr/sbin/xen-init-dom0",
    ),
    // What saves and restores a domain, by the name that xl calls it.
    (
        "/usr/lib/xen-4.20/bin/libxl-save-helper",
        "/usr/lib/xen-4.20/bin/libxl-save-helper",
    ),
    ("/usr/bin/xenstore-read", "/usr/bin/xenstore-read"),
    ("/usr/bin/xenstore-write", "/usr/bin/xenstore-write"),
    ("/usr/bin/xenstore-ls", "/usr/bin/xenstore-ls"),
    ("/usr/sbin/ethtool", "/usr/sbin/ethtool"),
    ("/usr/sbin/tc", "/usr/sbin/tc"),
    ("/usr/sbin/bridge", "/usr/sbin/bridge"),
];

/// Kernel modules that a place needs besides its card's driver.
fn modules(place: Place) -> &'static [&'static str] {
    match place {
        Place::Bare | Place::Sender => &[],
        Place::Dom0 => &[
            "xen-evtchn",
            "xen-privcmd",
            "xenfs",
            "xen-gntdev",
            "xen-gntalloc",
            "xen-netback",
            "bridge",
        ],
        Place::DomU => &["xen-netfront"],
    }
}

/// The Linux driver of one of QEMU's cards.
fn driver(nic: &str) -> &str {
    match nic {
        "virtio-net-pci" => "virtio_net",
        other => other,
    }
}

/// What a guest's agent speaks on. A serial line would do, but in dom0 Xen emulates each of its bytes: 10 KB/s.
fn port(place: Place) -> &'static str {
    match place {
        Place::DomU => "/dev/hvc0",
        _ => "/dev/vport0p1",
    }
}

/// Words on every guest's kernel command line.
pub fn append(place: Place, config: &Config) -> String {
    let console = match place {
        // The kernel's test of its timer fails where the host gives the machine too little time for it.
        Place::Bare | Place::Sender => "console=ttyS0 no_timer_check",
        Place::Dom0 => "console=hvc0 tsc=reliable",
        Place::DomU => "console=hvc0 tsc=reliable clocksource=tsc",
    };
    // Frames that the kernel sends of itself would be counted with the sender's.
    let all = format!(
        "{console} quiet oops=panic panic=-1 ipv6.disable=1 {}",
        config.append
    );
    all.trim_end().to_owned()
}

/// Writes a guest's initramfs into `folder`.
pub fn write(
    materials: &Materials,
    config: &Config,
    place: Place,
    job: Option<&[String]>,
    folder: &Path,
) -> Result<PathBuf> {
    let mut image = Image::default();
    add_system(&mut image, materials)?;
    add_lab(&mut image, materials)?;
    let nic = match place {
        Place::Sender => &config.sender_nic,
        _ => &config.nic,
    };
    add_modules(&mut image, &materials.kernel, config, place, nic)?;
    let has_module = materials.module.is_some();
    let load = config.load && place != Place::Sender && has_module;
    image.file("/lab/guest.conf", 0o644, settings(config, place, nic, load));
    if let Some(job) = job {
        let command: String = job.iter().map(|word| format!("{word}\0")).collect();
        image.file("/lab/job", 0o644, command);
    }
    if place == Place::Dom0 {
        add_xen(&mut image, materials, config, folder)?;
    }
    add_copies(&mut image, &config.copies)?;
    let path = folder.join(format!("{place}.cpio"));
    image.write(BufWriter::new(fs::File::create(&path)?))?;
    Ok(path)
}

/// Folders, and busybox under all its names.
fn add_system(image: &mut Image, materials: &Materials) -> Result<()> {
    for dir in [
        "/proc", "/sys", "/dev", "/run", "/tmp", "/root", "/etc", "/var/log",
    ] {
        image.directory(dir);
    }
    let busybox = materials.machine.path().join("usr/bin/busybox");
    image.copy(&busybox, "/bin/busybox")?;
    for applet in materials.busybox_applets()? {
        if applet != "busybox" {
            image.link(&format!("/bin/{applet}"), "/bin/busybox");
        }
    }
    image.link("/var/run", "/run");
    Ok(())
}

/// The lab's scripts, our tools and xcap.
fn add_lab(image: &mut Image, materials: &Materials) -> Result<()> {
    for (name, mode, text) in SCRIPTS {
        image.file(&format!("/lab/{name}"), mode, text);
    }
    image.link("/init", "/lab/init");
    for tool in &materials.tools {
        let name = tool.file_name().unwrap_or_default().to_string_lossy();
        image.copy(tool, &format!("/usr/bin/{name}"))?;
    }
    if let Some(module) = &materials.module {
        image.copy(module, "/lab/xcap.ko")?;
    }
    Ok(())
}

/// The kernel's modules: what the place needs, the card's driver, what the configuration asks for.
fn add_modules(
    image: &mut Image,
    kernel: &Kernel,
    config: &Config,
    place: Place,
    nic: &str,
) -> Result<()> {
    let mut wanted = modules(place).to_vec();
    wanted.extend(config.modules.iter().map(String::as_str));
    if place != Place::DomU {
        wanted.push(driver(nic));
    }
    kmods::add(image, &kernel.modules_dir(), &kernel.release, &wanted)
}

/// What the guest's scripts have to know.
fn settings(config: &Config, place: Place, nic: &str, load: bool) -> String {
    format!(
        "GUEST={place}\nPORT={}\nDRIVER={}\nMODULES='{}'\nLOAD={}\n",
        port(place),
        driver(nic),
        config.modules.join(" "),
        if load { "yes" } else { "no" },
    )
}

fn add_copies(image: &mut Image, copies: &[Copy]) -> Result<()> {
    for copy in copies {
        if !copy.from.exists() {
            bail!(
                "'{}' is to be copied into the guests, but isn't there",
                copy.from.display()
            );
        }
        image.copy(&copy.from, &copy.to)?;
    }
    Ok(())
}

const SCRIPTS: [(&str, u32, &str); 10] = [
    ("init", 0o755, include_str!("../../guest/init")),
    ("setup", 0o755, include_str!("../../guest/setup")),
    ("settle", 0o755, include_str!("../../guest/settle")),
    ("network.sh", 0o644, include_str!("../../guest/network.sh")),
    ("setup-bare", 0o644, include_str!("../../guest/setup-bare")),
    (
        "setup-sender",
        0o644,
        include_str!("../../guest/setup-sender"),
    ),
    ("setup-dom0", 0o644, include_str!("../../guest/setup-dom0")),
    ("setup-domU", 0o644, include_str!("../../guest/setup-domU")),
    ("vif", 0o755, include_str!("../../guest/vif")),
    ("domU-start", 0o755, include_str!("../../guest/domU-start")),
];

const DOMU_CONFIG: &str = include_str!("../../guest/domU.cfg");

fn add_xen(image: &mut Image, materials: &Materials, config: &Config, folder: &Path) -> Result<()> {
    let root = materials.machine.path();
    let mut programs: Vec<&str> = Vec::new();
    for (from, to) in XEN_PROGRAMS {
        programs.push(from);
        image.copy(&root.join(from.trim_start_matches('/')), to)?;
    }
    for library in materials.libraries(&programs)? {
        image.copy(&inside(root, &library), &library)?;
    }
    // Loaded by pthread_cancel, which xl ends its threads with: nothing names it.
    let unwinder = "/usr/lib/x86_64-linux-gnu/libgcc_s.so.1";
    image.copy(
        &inside(root, unwinder),
        "/lib/x86_64-linux-gnu/libgcc_s.so.1",
    )?;
    image.directory("/etc/xen");
    image.file("/etc/xen/xl.conf", 0o644, "");
    if config.has(Place::DomU) {
        let initramfs = write(materials, config, Place::DomU, None, folder)?;
        image.copy(&initramfs, "/lab/domU-initramfs")?;
        image.copy(&materials.kernel.image()?, "/lab/domU-kernel")?;
        let kind = match config.domu {
            DomUType::Pv => "pv",
            DomUType::Pvh => "pvh",
        };
        let settings = DOMU_CONFIG
            .replace("@TYPE@", kind)
            .replace("@MEMORY@", &config.domu_memory_mib.to_string())
            .replace("@VCPUS@", &config.domu_vcpus.to_string())
            .replace("@CPU@", domu_cpu(config.clock))
            .replace("@APPEND@", &append(Place::DomU, config))
            .replace("@MAC@", DOMU_MAC);
        image.file("/lab/domU.cfg", 0o644, settings);
    }
    Ok(())
}

/// The physical CPU that the domU's is: the one after dom0's, where there is one.
fn domu_cpu(clock: Clock) -> &'static str {
    match clock {
        Clock::Instructions => "0",
        Clock::Wall => "1",
    }
}

/// `path` of a root, whose `/lib` and `/lib64` are links into `/usr`.
fn inside(root: &Path, path: &str) -> PathBuf {
    let path = path.trim_start_matches('/');
    let usr = ["lib/", "lib64/", "bin/", "sbin/"]
        .iter()
        .any(|dir| path.starts_with(dir));
    if usr {
        root.join("usr").join(path)
    } else {
        root.join(path)
    }
}
