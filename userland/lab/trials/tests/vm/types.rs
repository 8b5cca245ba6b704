// SPDX-License-Identifier: GPL-2.0

//! What the kernel's types say of functions, and that nobody else is asked.

use crate::labs::{On, World};
use crate::world::{fresh, load_targets, Stages};
use anyhow::{ensure, Context, Result};
use libtest_mimic::Trial;
use xcap_abi::backend::Arguments;
use xcap_abi::btf::{Btf, File, Types, Unknown};
use xcap_machines::{Guest, Place};

/// How functions that every kernel has take their arguments.
const KNOWN: [(&str, Arguments); 4] = [
    ("packet_rcv", Arguments::InRegisters),
    ("__x64_sys_umask", Arguments::InRegisters),
    // More arguments than registers.
    ("do_mmap", Arguments::OnStack),
    // Variadic.
    ("_printk", Arguments::OnStack),
];

pub fn trials(world: &'static World) -> Vec<Trial> {
    vec![
        world.trial("the_types_of_a_real_kernel_are_read", On::Bare, |lab| {
            read(lab.guest(Place::Bare))
        }),
        world.trial(
            "types_are_the_kernel_s_own_in_any_root_folder",
            On::Bare,
            |lab| forged(lab.guest(Place::Bare)),
        ),
    ]
}

fn file(guest: &Guest, name: &str) -> Result<Vec<u8>> {
    let output = guest.run(&["cat", &format!("/sys/kernel/btf/{name}")])?;
    ensure!(output.success(), "{name}: {}", output.error_text());
    Ok(output.stdout)
}

fn read(guest: &Guest) -> Result<()> {
    load_targets(guest)?;
    let (kernel, module) = (file(guest, "vmlinux")?, file(guest, "xcap_targets")?);
    let malformed = |why: Unknown| anyhow::anyhow!("{why:?}");
    let open = |bytes| File::new(bytes).map_err(malformed);
    let (kernel, module) = (open(&kernel)?, open(&module)?);
    let places = |file: &File<'_>| -> Result<Vec<u32>> {
        file.places().collect::<Result<_, _>>().map_err(malformed)
    };
    let (below, above) = (places(&kernel)?, places(&module)?);
    ensure!(
        below.len() > 10_000 && !above.is_empty(),
        "{} and {} types",
        below.len(),
        above.len()
    );
    let kernel = Types::of_kernel(kernel, &below);
    let of_module = kernel.of_module(module, &above).map_err(malformed)?;
    let kernel = Btf {
        kernel,
        module: None,
    };
    for (function, arguments) in KNOWN {
        let signature = kernel.signature(function.as_bytes()).map_err(malformed);
        let found = signature.context(function)?.arguments;
        ensure!(
            found == arguments,
            "{function}: {found:?}, not {arguments:?}"
        );
    }
    let module = Btf {
        module: Some(of_module),
        ..kernel
    };
    let recurse = module
        .signature(b"xcap_target_recurse")
        .map_err(malformed)?;
    ensure!(
        recurse.arguments == Arguments::InRegisters && !recurse.returns_wide,
        "xcap_target_recurse: {recurse:?}"
    );
    Ok(())
}

/// A file that says that `do_mmap` has no arguments.
fn lie() -> Vec<u8> {
    let strings = b"\0do_mmap\0";
    let types = [0, 13 << 24, 0, 1, 12 << 24 | 1, 1];
    let length = 4 * types.len() as u32;
    let header = [0x0001_eb9f, 24, 0, length, length, strings.len() as u32];
    let words = header.into_iter().chain(types);
    let mut bytes: Vec<u8> = words.flat_map(u32::to_ne_bytes).collect();
    bytes.extend_from_slice(strings);
    bytes
}

fn forged(guest: &Guest) -> Result<()> {
    fresh(guest, Stages::Few)?;
    let octal: String = lie().iter().map(|byte| format!("\\{byte:03o}")).collect();
    let said = guest.sh(&format!(
        "root=/tmp/root
        mkdir -p $root/bin $root/sys/kernel/btf $root/xcap
        cp /bin/busybox $root/bin/sh
        printf '{octal}' >$root/sys/kernel/btf/vmlinux
        mount --bind /sys/kernel/debug/xcap $root/xcap
        chroot $root /bin/sh -c 'echo add do_mmap backend=direct >/xcap/control' 2>&1
        umount $root/xcap
        rm -r $root"
    ))?;
    ensure!(
        said.contains("not supported"),
        "in a folder with other types, do_mmap was to be refused: {said}"
    );
    let probes = guest.sh("cat /sys/kernel/debug/xcap/probes")?;
    ensure!(!probes.contains("do_mmap"), "do_mmap is hooked:\n{probes}");
    Ok(())
}
