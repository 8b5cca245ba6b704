// SPDX-License-Identifier: GPL-2.0

//! What Debian's mirror offers: asked of apt itself, never known here.

use crate::cache::{Cache, Lock};
use crate::files::replace;
use crate::progress::step;
use crate::provide::deb822;
use crate::run;
use anyhow::{bail, Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// How long the mirror's last answer is good for.
const FRESH: Duration = Duration::from_secs(6 * 3600);

/// `MIRROR`, or the one that this machine's apt uses.
pub fn mirror() -> Result<String> {
    if let Some(mirror) = std::env::var("MIRROR").ok().filter(|m| !m.is_empty()) {
        return Ok(mirror.trim_end_matches('/').to_owned());
    }
    let format = "$(ORIGIN)|$(LABEL)|$(COMPONENT)|$(REPO_URI)";
    let targets = Command::new("apt-get")
        .args(["indextargets", "--format", format, "Created-By: Packages"])
        .output();
    let targets = match targets {
        Ok(output) => String::from_utf8_lossy(&output.stdout).into_owned(),
        Err(_) => String::new(),
    };
    match debian_mirror(&targets) {
        Some(mirror) => Ok(mirror),
        None => bail!("no Debian mirror in this machine's apt configuration: name one, MIRROR=http://…/debian"),
    }
}

fn debian_mirror(targets: &str) -> Option<String> {
    let mirror = targets
        .lines()
        .find_map(|line| line.strip_prefix("Debian|Debian|main|"))?;
    Some(mirror.trim_end_matches('/').to_owned())
}

/// The proxy that this machine's apt uses, as an option for another apt.
pub fn proxy_options() -> Vec<String> {
    let mut options = Vec::new();
    for scheme in ["http", "https"] {
        let key = format!("Acquire::{scheme}::Proxy");
        let asked = Command::new("apt-config")
            .args(["shell", "P", &key])
            .output();
        let Ok(asked) = asked else { continue };
        let answer = String::from_utf8_lossy(&asked.stdout);
        let value = answer.trim().trim_start_matches("P=").trim_matches('\'');
        if !value.is_empty() {
            options.push(format!("{key} \"{value}\""));
        }
    }
    options
}

/// The packages of one suite.
pub struct Suite {
    cache: Cache,
    name: String,
    config: PathBuf,
}

/// What apt-cache says to a name that it doesn't know.
const UNKNOWN: &str = "No packages found";

impl Suite {
    /// Reads the suite's index, a fresh one if the last is old and the mirror can be reached.
    pub fn open(cache: &Cache, suite: &str) -> Result<Self> {
        let mirror = mirror()?;
        let dir = cache.path(&format!(
            "apt/{suite}-{}",
            crate::cache::digest([mirror.as_str()])
        ));
        let _lock = lock(cache, suite)?;
        for folder in [
            "lists/partial",
            "archives/partial",
            "preferences.d",
            "trusted.gpg.d",
        ] {
            fs::create_dir_all(dir.join(folder))?;
        }
        let at = dir.display();
        replace(
            &dir.join("sources.list"),
            format!("deb {} {mirror} {suite} main\n", keyring()),
        )?;
        let mut config = format!(
            "Dir::Etc::sourcelist \"{at}/sources.list\";\nDir::Etc::sourceparts \"/dev/null\";\n\
             Dir::Etc::preferences \"/dev/null\";\nDir::Etc::preferencesparts \"{at}/preferences.d\";\n\
             Dir::State \"{at}\";\nDir::State::status \"/dev/null\";\nDir::Cache \"{at}\";\n\
             APT::Architecture \"amd64\";\nAPT::Architectures \"amd64\";\nAcquire::Languages \"none\";\n\
             Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled \"false\";\nAPT::Sandbox::User \"\";\n"
        );
        for option in suite_options(suite) {
            config.push_str(&format!("{option};\n"));
        }
        let path = dir.join("apt.conf");
        // Whole at any time: unpacking reads it under no lock.
        replace(&path, config)?;
        let suite_index = Self {
            cache: cache.clone(),
            name: suite.to_owned(),
            config: path,
        };
        let stamp = dir.join("updated");
        let age = fs::metadata(&stamp)
            .and_then(|m| m.modified())
            .ok()
            .and_then(|time| SystemTime::now().duration_since(time).ok());
        if age.is_none_or(|age| age > FRESH) {
            let asking = step(format!("asking the mirror what {suite} holds"));
            match suite_index.apt("apt-get", &["update", "--error-on=any"]) {
                Ok(_) => fs::write(&stamp, "")?,
                Err(e) if age.is_some() => {
                    eprintln!(
                        "xcap-lab: using the last answer, the mirror can't be asked now: {e:#}"
                    );
                }
                Err(e) => {
                    return Err(e.context(format!("cannot read suite '{suite}' from {mirror}")))
                }
            }
            asking.done();
        }
        Ok(suite_index)
    }

    /// The newest version of a package and what it depends on; none: the suite has no such package.
    pub fn package(&self, name: &str) -> Result<Option<Package>> {
        // Else a package that apt can't look up now, while another reads the index anew, is one that there isn't.
        let _lock = lock(&self.cache, &self.name)?;
        match self.apt("apt-cache", &["show", "--no-all-versions", name]) {
            Ok(text) => Ok(parse_package(&text)),
            Err(error) if error.to_string().contains(UNKNOWN) => Ok(None),
            Err(error) => Err(error.context(format!("cannot look up package '{name}'"))),
        }
    }

    /// Unpacks the newest version of a package into `folder`.
    pub fn unpack(&self, name: &str, folder: &Path) -> Result<()> {
        let fetched = tempfile::tempdir_in(folder)?;
        let mut download = Command::new("apt-get");
        download.args(["download", name]).current_dir(&fetched);
        run::output(download.env("APT_CONFIG", &self.config))?;
        for package in fs::read_dir(&fetched)? {
            let mut unpack = Command::new("dpkg-deb");
            run::output(unpack.arg("--extract").arg(package?.path()).arg(folder))?;
        }
        Ok(())
    }

    fn apt(&self, program: &str, arguments: &[&str]) -> Result<String> {
        run::output(
            Command::new(program)
                .args(arguments)
                .env("APT_CONFIG", &self.config)
                .env("LC_ALL", "C"),
        )
    }
}

fn lock(cache: &Cache, suite: &str) -> Result<Lock> {
    cache.lock(&format!("apt/{suite}"))
}

#[derive(Debug, PartialEq)]
pub struct Package {
    pub version: String,
    pub depends: Vec<String>,
}

fn parse_package(text: &str) -> Option<Package> {
    let package = deb822::paragraphs(text).next()?;
    let depends = package.relations("Depends");
    Some(Package {
        version: package.field("Version").to_owned(),
        depends: depends.into_iter().flatten().collect(),
    })
}

/// The suites that `suite` is used with: backports need what they were backported to.
pub fn with_base(suite: &str) -> Vec<String> {
    match suite.strip_suffix("-backports") {
        Some(base) => vec![base.to_owned(), suite.to_owned()],
        None => vec![suite.to_owned()],
    }
}

/// apt options that a suite needs.
pub fn suite_options(suite: &str) -> Vec<String> {
    // Debian signs its moving suites for some days only; a mirror may lag behind by more.
    match suite {
        "sid" | "unstable" | "forky" => vec!["Acquire::Check-Valid-Until \"false\"".to_owned()],
        _ => Vec::new(),
    }
}

/// The option that names Debian's keys, where this machine has them.
pub fn keyring() -> &'static str {
    const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
    match fs::exists(KEYRING) {
        Ok(true) => "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]",
        _ => "",
    }
}

/// Puts in place the host programs that are missing, where that can be done without asking.
pub fn require(programs: &[(&str, &str)]) -> Result<()> {
    // Two that find the same missing must not both install it.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let missing: Vec<&str> = programs
        .iter()
        .filter(|(program, _)| !on_path(program))
        .map(|(_, package)| *package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.join(" ");
    if !nix::unistd::geteuid().is_root() || !on_path("apt-get") {
        bail!("missing here: install the packages {names} (Debian: sudo apt install {names})");
    }
    let installing = step(format!("installing {names}"));
    let install = || -> Result<()> {
        run::output(Command::new("apt-get").args(["update"]))?;
        let mut command = Command::new("apt-get");
        command
            .args(["install", "-y", "--no-install-recommends"])
            .args(&missing);
        run::output(command.env("DEBIAN_FRONTEND", "noninteractive"))?;
        Ok(())
    };
    install().with_context(|| {
        format!("these packages are needed and could not be installed: {names}")
    })?;
    installing.done();
    Ok(())
}

pub fn on_path(program: &str) -> bool {
    which::which(program).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mirror_is_debians_own_archive_and_not_the_security_one() {
        let targets = "Debian|Debian-Security|main|http://a/debian-security/\n\
                       NodeSource|x|main|http://b/\nDebian|Debian|main|http://c/debian/\n";
        assert_eq!(debian_mirror(targets).as_deref(), Some("http://c/debian"));
        assert_eq!(debian_mirror("Ubuntu|Ubuntu|main|http://d/ubuntu/\n"), None);
    }

    #[test]
    fn a_package_gives_version_and_names_of_dependencies() {
        let text = "Package: linux-headers-amd64\nVersion: 7.3.4-1~bpo13+1\n\
                    Depends: linux-base-amd64 (= 7.3.4-1~bpo13+1), linux-headers-7.3.4+deb13-amd64 (= 7.3.4-1~bpo13+1)\n";
        let package = parse_package(text).unwrap();
        assert_eq!(package.version, "7.3.4-1~bpo13+1");
        assert_eq!(
            package.depends,
            ["linux-base-amd64", "linux-headers-7.3.4+deb13-amd64"]
        );
        assert_eq!(parse_package(""), None);
    }

    #[test]
    fn backports_come_with_their_base() {
        assert_eq!(
            with_base("trixie-backports"),
            ["trixie", "trixie-backports"]
        );
        assert_eq!(with_base("sid"), ["sid"]);
    }
}
