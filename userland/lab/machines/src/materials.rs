// SPDX-License-Identifier: GPL-2.0

//! All that the lab is made of: roots, kernel, module, tools.

use crate::build::module::{self, Lints};
use crate::cache::{digest, Cache};
use crate::provide::kernel::Kernel;
use crate::provide::root::{package_list, Recipe, Root};
use crate::run;
use anyhow::{bail, Context, Result};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

const MACHINE_PACKAGES: &str = include_str!("../packages/machine");
const MACHINE_SUITE: &str = "trixie";

/// Userland tools that every guest has, as far as they are built.
const TOOLS: [&str; 6] = [
    "xcap-guest",
    "xcap-doctor",
    "xcap-read",
    "xcap-send",
    "xcap-recv",
    "xcap-bench",
];

pub struct Materials {
    pub cache: Cache,
    pub kernel: Kernel,
    /// QEMU, Xen and what runs in guests.
    pub machine: Root,
    /// The kernel module; none where a lab without it was asked for.
    pub module: Option<PathBuf>,
    pub tools: Vec<PathBuf>,
}

impl Materials {
    /// Makes what is missing.
    pub fn prepare(module: Option<&Path>) -> Result<Self> {
        let cache = Cache::open()?;
        let (kernel, machine) = roots(&cache)?;
        let module = match module {
            Some(ko) => Some(ko.to_owned()),
            None => Some(module::build(
                &cache,
                &kernel,
                &source_tree()?,
                Lints::Compiler,
            )?),
        };
        Ok(Self {
            cache,
            kernel,
            machine,
            module,
            tools: tools()?,
        })
    }

    /// A program that was built beside the tools, and that not every guest needs.
    pub fn program(&self, name: &str) -> Result<PathBuf> {
        let path = tools_dir()?.join(name);
        if !path.exists() {
            bail!("'{}' is missing: `make test` builds it", path.display());
        }
        Ok(path)
    }

    /// The hypervisor, as QEMU takes it.
    pub fn xen(&self) -> Result<PathBuf> {
        let packed = self.machine.path().join("boot");
        let packed = fs::read_dir(&packed)
            .with_context(|| format!("cannot read '{}'", packed.display()))?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .find(|path| {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                name.starts_with("xen-") && name.ends_with(".gz")
            })
            .context("the machine root holds no Xen")?;
        let key = digest([packed.to_string_lossy().as_ref()]);
        let place = self.cache.entry("xen", &key, |dir| {
            let mut command = self.machine.sandbox().command("zcat");
            command.arg(Path::new("/boot").join(packed.file_name().unwrap_or_default()));
            let mut unpack = command.stdout(std::process::Stdio::piped()).spawn()?;
            let mut bytes = Vec::new();
            unpack
                .stdout
                .take()
                .expect("piped above")
                .read_to_end(&mut bytes)?;
            if !unpack.wait()?.success() {
                bail!("cannot unpack '{}'", packed.display());
            }
            fs::write(dir.join("xen"), bytes)?;
            Ok(())
        })?;
        Ok(place.join("xen"))
    }

    /// Libraries that programs of the machine root need, as paths in it.
    pub fn libraries(&self, programs: &[&str]) -> Result<Vec<String>> {
        let mut command = self.machine.sandbox().command("ldd");
        let text = run::output(command.args(programs))?;
        let mut found: Vec<String> = text
            .split_whitespace()
            .filter(|word| word.starts_with('/') && !word.ends_with(':'))
            .map(str::to_owned)
            .collect();
        found.sort();
        found.dedup();
        Ok(found)
    }

    pub fn busybox_applets(&self) -> Result<Vec<String>> {
        let mut command = self.machine.sandbox().command("busybox");
        let text = run::output(command.arg("--list"))?;
        Ok(text.split_whitespace().map(str::to_owned).collect())
    }
}

pub fn wanted_kernel() -> Option<String> {
    std::env::var("KERNEL")
        .ok()
        .filter(|kernel| !kernel.is_empty())
}

/// The kernel, and the root of the machines: made at once, since each waits for downloads most of the time.
pub fn roots(cache: &Cache) -> Result<(Kernel, Root)> {
    std::thread::scope(|scope| {
        let machine = scope.spawn(|| machine_root(cache));
        let kernel = Kernel::ensure(cache, wanted_kernel().as_deref());
        let machine = machine.join().expect("making a root doesn't panic");
        Ok((kernel?, machine?))
    })
}

pub fn machine_root(cache: &Cache) -> Result<Root> {
    let suites = [MACHINE_SUITE.to_owned()];
    let packages = package_list(MACHINE_PACKAGES);
    let recipe = Recipe {
        suites: &suites,
        packages: &packages,
    };
    Root::ensure(cache, "machine", &recipe)
}

/// xcap's source tree: where we are, or where this program was built.
pub fn source_tree() -> Result<PathBuf> {
    let here = std::env::current_dir()?;
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let candidates = here.ancestors().map(Path::to_owned).chain([built]);
    for dir in candidates {
        if dir.join("Kbuild").exists() && dir.join("userland/lab/machines").exists() {
            return Ok(fs::canonicalize(dir)?);
        }
    }
    bail!("no source tree of xcap here: change into it")
}

/// Where the userland tools are: in `XCAP_TOOLS`, or beside this program.
pub fn tools_dir() -> Result<PathBuf> {
    match std::env::var_os("XCAP_TOOLS") {
        Some(dir) => Ok(PathBuf::from(dir)),
        None => {
            let program = std::env::current_exe()?;
            Ok(program.parent().map(Path::to_owned).unwrap_or_default())
        }
    }
}

fn tools() -> Result<Vec<PathBuf>> {
    let dir = tools_dir()?;
    let agent = dir.join("xcap-guest");
    if !agent.exists() {
        bail!("'{}' is missing: `make tools` builds it", agent.display());
    }
    let there = TOOLS
        .iter()
        .map(|tool| dir.join(tool))
        .filter(|path| path.exists());
    Ok(there.collect())
}
