// SPDX-License-Identifier: GPL-2.0

//! What packages are made of: a folder as `dpkg-buildpackage` takes it.

use crate::build::module::{mirror, SOURCES};
use crate::materials::tools_dir;
use crate::package::version::Version;
use crate::provide::deb822;
use crate::provide::kernel::Kernel;
use crate::run;
use anyhow::{bail, Context, Result};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use walkdir::WalkDir;

/// What people run. The lab's programs need the source tree.
const PROGRAMS: [&str; 6] = [
    "xcap-read",
    "xcap-doctor",
    "xcap-send",
    "xcap-recv",
    "xcap-bench",
    "xcap-paper",
];

/// What builds the module where DKMS has its sources.
const BUILD_SCRIPTS: [&str; 5] = [
    "find-rustc",
    "link-headers",
    "needs",
    "rust-metadata",
    "say-needs",
];

/// What needs the source tree: not packed.
const LAB: [&str; 2] = ["xcap-lab", "xcap-stress"];

/// Writes man pages and completions.
const MANUAL: &str = "xcap-manual";

/// How Prometheus gets at the figures.
const METRICS: &str = "userland/tools/read/metrics";

/// How to make the study on machines of one's own.
const STUDY: &str = "userland/study/paper/README.md";

const MAINTAINER: &str = "The xcap contributors <xcap@packages.invalid>";

/// Whom a kernel's module is for.
struct Target<'a> {
    release: &'a str,
    /// `amd64` of `7.3.4+deb13-amd64`.
    flavour: &'a str,
    modules_version: String,
}

/// Fills the folder, but for the module.
pub fn stage(folder: &Path, tree: &Path, kernel: &Kernel, version: &Version) -> Result<()> {
    let packaging = tree.join("packaging");
    let target = Target {
        release: &kernel.release,
        flavour: flavour(&kernel.release),
        modules_version: version.with_kernel(&kernel_version(kernel)?),
    };
    add_recipe(&folder.join("debian"), &packaging, &target, version)?;
    add_programs(folder)?;
    copy(&packaging.join("examples"), &folder.join("examples"))?;
    copy(&tree.join(METRICS), &folder.join("examples/metrics"))?;
    for name in ["README.md", "docs"] {
        copy(&tree.join(name), &folder.join(name))?;
    }
    copy(&tree.join(STUDY), &folder.join("docs/study.md"))?;
    let module = folder.join("module");
    for part in SOURCES {
        fs::create_dir_all(module.join(part).parent().unwrap_or(&module))?;
        mirror(&tree.join(part), &module.join(part))?;
    }
    for script in BUILD_SCRIPTS {
        let name = Path::new("scripts").join(script);
        copy(&tree.join(&name), &module.join(&name))?;
    }
    copy(&packaging.join("dkms"), &module.join("dkms"))?;
    fs::remove_file(module.join("dkms/dkms.conf"))?;
    Ok(())
}

fn add_recipe(debian: &Path, packaging: &Path, target: &Target, version: &Version) -> Result<()> {
    let substitute = |text: String| {
        text.replace("@RELEASE@", target.release)
            .replace("@FLAVOUR@", target.flavour)
            .replace("@MAINTAINER@", MAINTAINER)
    };
    let recipe = packaging.join("debian");
    copy(&recipe, debian)?;
    let modules = format!("xcap-modules-{}", target.release);
    for (from, to) in [
        ("control.in", "control".to_owned()),
        ("modules.postinst.in", format!("{modules}.postinst")),
        ("modules.postrm.in", format!("{modules}.postrm")),
    ] {
        fs::remove_file(debian.join(from))?;
        let text = fs::read_to_string(recipe.join(from))?;
        fs::write(debian.join(to), substitute(text))?;
    }
    copy(
        &packaging.join("dkms/dkms.conf"),
        &debian.join("xcap-dkms.dkms"),
    )?;
    let (text, date) = (&version.text, &version.date);
    fs::write(
        debian.join("changelog"),
        format!("xcap ({text}) unstable; urgency=medium\n\n  * Built from its sources.\n\n -- {MAINTAINER}  {date}\n"),
    )?;
    let settings = format!(
        "RELEASE := {}\nFLAVOUR := {}\nMODULES_VERSION := {}\n",
        target.release, target.flavour, target.modules_version
    );
    fs::write(debian.join("kernel.mk"), settings)?;
    Ok(())
}

/// Programs, and what they say of themselves.
fn add_programs(folder: &Path) -> Result<()> {
    let tools = tools_dir()?;
    for name in PROGRAMS {
        let program = tools.join(name);
        if !program.exists() {
            bail!("'{}' is missing: `make deb` builds it", program.display());
        }
        copy(&program, &folder.join("programs").join(name))?;
    }
    let share = folder.join("share");
    fs::create_dir_all(&share)?;
    let manual = tools.join(MANUAL);
    if manual.exists() {
        for what in ["man", "completions"] {
            let mut write = Command::new(&manual);
            write.arg(what).arg(&share);
            write.args(LAB.iter().flat_map(|name| ["--without", name]));
            run::output(&mut write)?;
        }
    }
    Ok(())
}

/// A file or a folder, with who may run it.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    for entry in WalkDir::new(from) {
        let entry = entry?;
        let below = entry.path().strip_prefix(from).expect("it is under it");
        // Joining nothing would make a folder of a file's name.
        let to = match below.as_os_str().is_empty() {
            true => to.to_owned(),
            false => to.join(below),
        };
        let cannot = || format!("cannot copy '{}'", entry.path().display());
        if entry.file_type().is_dir() {
            fs::create_dir_all(&to).with_context(cannot)?;
            continue;
        }
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::copy(entry.path(), &to).with_context(cannot)?;
        let runs = entry.metadata()?.permissions().mode() & 0o100 != 0;
        let mode = if runs { 0o755 } else { 0o644 };
        fs::set_permissions(&to, Permissions::from_mode(mode))?;
    }
    Ok(())
}

/// Of the packages that the kernel's root has.
fn kernel_version(kernel: &Kernel) -> Result<String> {
    let status = kernel.root.path().join("var/lib/dpkg/status");
    let text = fs::read_to_string(&status)
        .with_context(|| format!("cannot read '{}'", status.display()))?;
    let headers = format!("linux-headers-{}", kernel.release);
    let package = deb822::paragraphs(&text).find(|package| package.field("Package") == headers);
    let package = package.with_context(|| format!("no package {headers} in the build root"))?;
    Ok(package.field("Version").to_owned())
}

fn flavour(release: &str) -> &str {
    release
        .split_once('-')
        .map_or(release, |(_, flavour)| flavour)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flavour_is_what_a_release_is_named_after_its_version() {
        assert_eq!(flavour("7.3.4+deb13-amd64"), "amd64");
        assert_eq!(flavour("7.2.13+deb14-cloud-amd64"), "cloud-amd64");
    }
}
