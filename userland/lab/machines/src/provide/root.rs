// SPDX-License-Identifier: GPL-2.0

//! Roots: folders with a Debian system in them, and programs run there without privilege.

use crate::cache::{digest, Cache};
use crate::progress::Step;
use crate::provide::apt;
use crate::run;
use anyhow::{bail, Context, Result};
use nix::unistd::{getgid, getuid};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a root is made of.
pub struct Recipe<'a> {
    pub suites: &'a [String],
    pub packages: &'a [String],
}

impl Recipe<'_> {
    /// Changes whenever the recipe does.
    pub fn digest(&self) -> String {
        let parts = self.suites.iter().chain(self.packages);
        digest(parts.map(String::as_str))
    }
}

/// The names in a package list: one a line, `#` begins a comment.
pub fn package_list(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim);
    let names = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    names.map(str::to_owned).collect()
}

#[derive(Clone, Debug)]
pub struct Root {
    path: PathBuf,
}

/// Nobody here reads manuals, other languages or LLVM's static libraries.
const LEFT_OUT: [&str; 4] = [
    "/usr/share/doc/*",
    "/usr/share/locale/*",
    "/usr/share/man/*",
    "/usr/lib/llvm-*/lib/lib*.a",
];

impl Root {
    pub fn at(path: PathBuf) -> Self {
        Self { path }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A root that nothing but its recipe decides.
    pub fn ensure(cache: &Cache, name: &str, recipe: &Recipe) -> Result<Self> {
        let key = format!("{name}-{}", recipe.digest());
        let path = cache.entry("roots", &key, |dir| {
            let making =
                crate::progress::step(format!("making root '{name}' from Debian's packages"));
            Self::at(dir.to_owned()).install(
                recipe,
                &cache.path(&format!("roots/{key}.log")),
                &making,
            )?;
            making.done();
            Ok(())
        })?;
        Ok(Self::at(path))
    }

    /// Fills the (empty) folder.
    pub fn install(&self, recipe: &Recipe, log: &Path, step: &Step) -> Result<()> {
        apt::require(&[("mmdebstrap", "mmdebstrap"), ("bwrap", "bubblewrap")])?;
        let mirror = apt::mirror()?;
        let suite = recipe.suites.first().context("a root needs a suite")?;
        let mut arguments: Vec<String> = vec![
            "--variant=minbase".into(),
            "--architectures=amd64".into(),
            format!("--include={}", recipe.packages.join(",")),
            "--aptopt=APT::Install-Recommends \"false\"".into(),
            "--dpkgopt=force-unsafe-io".into(),
        ];
        arguments.extend(LEFT_OUT.map(|path| format!("--dpkgopt=path-exclude={path}")));
        let options = recipe.suites.iter().flat_map(|s| apt::suite_options(s));
        arguments.extend(
            options
                .chain(apt::proxy_options())
                .map(|o| format!("--aptopt={o}")),
        );
        arguments.push(suite.clone());
        arguments.push(self.path.display().to_string());
        let keyring = apt::keyring();
        arguments.extend(
            recipe
                .suites
                .iter()
                .map(|s| format!("deb {keyring} {mirror} {s} main")),
        );
        let mut command = as_root("mmdebstrap")?;
        run::logged(command.args(arguments), log, step)?;
        if !getuid().is_root() {
            let owner = format!("{}:{}", getuid(), getgid());
            let mut command = as_root("chown")?;
            run::logged(command.args(["-R", &owner]).arg(&self.path), log, step)?;
        }
        Ok(())
    }

    /// A view of this root in which programs run.
    pub fn sandbox(&self) -> Sandbox {
        Sandbox::new(&self.path)
    }
}

fn as_root(program: &str) -> Result<Command> {
    if getuid().is_root() {
        return Ok(Command::new(program));
    }
    if !apt::on_path("sudo") {
        bail!("making a root needs root, once: run `xcap-lab setup` as root with XDG_CACHE_HOME set to your own cache");
    }
    let mut command = Command::new("sudo");
    command.arg(program);
    Ok(command)
}

/// A root as programs in it see it: read-only, with fresh /tmp, /run, /dev and /proc, and what is bound into it.
///
/// All that runs in it ends with the thread that started it.
pub struct Sandbox {
    arguments: Vec<OsString>,
}

impl Sandbox {
    fn new(root: &Path) -> Self {
        let mut sandbox = Self {
            arguments: Vec::new(),
        };
        sandbox.add(["--die-with-parent", "--unshare-pid"]);
        for dir in ["usr", "etc", "var", "boot"] {
            sandbox.add([
                "--ro-bind".into(),
                root.join(dir).into_os_string(),
                format!("/{dir}").into(),
            ]);
        }
        for dir in ["bin", "sbin", "lib", "lib64"] {
            sandbox.add([
                "--symlink".to_owned(),
                format!("usr/{dir}"),
                format!("/{dir}"),
            ]);
        }
        sandbox.add([
            "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp", "--tmpfs", "/run",
        ]);
        sandbox.add([
            "--clearenv",
            "--setenv",
            "PATH",
            "/usr/sbin:/usr/bin:/sbin:/bin",
        ]);
        sandbox.add(["--setenv", "LC_ALL", "C.UTF-8", "--setenv", "HOME", "/tmp"]);
        sandbox
    }

    fn add<T: Into<OsString>>(&mut self, arguments: impl IntoIterator<Item = T>) {
        self.arguments.extend(arguments.into_iter().map(Into::into));
    }

    fn with<T: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = T>) -> Self {
        self.add(arguments);
        self
    }

    /// The host's `path`, writable, at the same place.
    pub fn bind(self, path: &Path) -> Self {
        self.bind_at(path, path)
    }

    /// The host's `path`, writable, at `inside`.
    pub fn bind_at(self, path: &Path, inside: &Path) -> Self {
        self.with([OsString::from("--bind"), path.into(), inside.into()])
    }

    /// The host's `path`, for reading only, at the same place.
    pub fn bind_ro(self, path: &Path) -> Self {
        self.bind_ro_at(path, path)
    }

    /// The host's `path`, for reading only, at `inside`.
    pub fn bind_ro_at(self, path: &Path, inside: &Path) -> Self {
        self.with([OsString::from("--ro-bind"), path.into(), inside.into()])
    }

    pub fn bind_device(self, path: &str) -> Self {
        self.with(["--dev-bind", path, path])
    }

    pub fn env(self, name: &str, value: &str) -> Self {
        self.with(["--setenv", name, value])
    }

    /// Root there, of what the caller owns.
    pub fn as_root(self) -> Self {
        self.with(["--unshare-user", "--uid", "0", "--gid", "0"])
    }

    pub fn current_dir(self, dir: &Path) -> Self {
        self.with([OsString::from("--chdir"), dir.into()])
    }

    /// The command that runs `program` there; its arguments follow.
    pub fn command(self, program: &str) -> Command {
        let mut command = Command::new("bwrap");
        command.args(self.arguments).arg("--").arg(program);
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_list_has_comments_and_empty_lines() {
        assert_eq!(package_list("# why\n\nmake\n  gcc \n"), ["make", "gcc"]);
    }

    #[test]
    fn any_change_of_suites_or_packages_is_another_root() {
        let suites = ["trixie".to_owned()];
        let (one, two) = (["make".to_owned()], ["make".to_owned(), "gcc".to_owned()]);
        let digest = |packages| {
            Recipe {
                suites: &suites,
                packages,
            }
            .digest()
        };
        assert_ne!(digest(&one), digest(&two));
    }
}
