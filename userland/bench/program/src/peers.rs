// SPDX-License-Identifier: GPL-2.0

//! The peers: other people's tools for the same work, from Debian's packages.

use crate::guest_files;
use crate::installed::Installed;
use crate::targets::KNOWN;
use crate::tool::{Format, Tool};
use crate::work::UMASK;
use anyhow::{bail, Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;
use xcap_machines::config::Copy;
use xcap_machines::provide::root::{package_list, Recipe, Root, Sandbox};
use xcap_machines::Materials;

const PACKAGES: &str = include_str!("../peers/packages");

/// Where the newest of each is, and the kernel's headers, wherever the kernel is from.
const SUITES: [&str; 2] = ["sid", "trixie-backports"];

const BPFTRACE_KPROBE: &str = include_str!("../peers/kprobe.bt");
const BPFTRACE_FENTRY: &str = include_str!("../peers/fentry.bt");
const SYSTEMTAP_PAPER: &str = include_str!("../peers/paper.stp");
const SYSTEMTAP_AGGREGATE: &str = include_str!("../peers/aggregate.stp");
const SYSTEMTAP_MEND: &str = include_str!("../peers/task_euid.h");

/// What stands in the scripts for the function.
const FUNCTION: &str = "@FUNCTION@";
/// And for what holds it.
const HOLDER: &str = "@HOLDER@";

pub const PEERS: [Peer; 6] = [
    Peer {
        name: "SystemTap, the paper's script",
        package: "systemtap",
        kind: Kind::SystemTap("paper", SYSTEMTAP_PAPER),
    },
    Peer {
        name: "SystemTap, <<< and @variance",
        package: "systemtap",
        kind: Kind::SystemTap("aggregate", SYSTEMTAP_AGGREGATE),
    },
    Peer {
        name: "bpftrace, kprobe+kretprobe",
        package: "bpftrace",
        kind: Kind::Bpftrace(BPFTRACE_KPROBE),
    },
    Peer {
        name: "bpftrace, fentry+fexit",
        package: "bpftrace",
        kind: Kind::Bpftrace(BPFTRACE_FENTRY),
    },
    Peer {
        name: "ftrace function_graph",
        package: "",
        kind: Kind::FunctionGraph,
    },
    Peer {
        name: "perf ftrace latency",
        package: "linux-perf",
        kind: Kind::Perf,
    },
];

pub struct Peer {
    pub name: &'static str,
    /// That it is installed as; none: it is in the kernel.
    package: &'static str,
    kind: Kind,
}

enum Kind {
    /// A module's name and its script.
    SystemTap(&'static str, &'static str),
    Bpftrace(&'static str),
    FunctionGraph,
    Perf,
}

/// A peer that can be tried.
pub struct Ready {
    pub tool: Tool,
    pub copies: Vec<Copy>,
    pub version: String,
    pub install_mb: f64,
    pub note: String,
}

/// A function, and what holds it: `vmlinux` or a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    pub name: String,
    pub holder: String,
}

/// A program that times several functions at once, as xcap times stages, until it is interrupted.
pub struct Timing {
    pub command: Vec<String>,
    pub files: Vec<Copy>,
}

/// The root that they are in.
pub struct Peers {
    root: Root,
    release: String,
    installed: Installed,
    work: PathBuf,
    _lock: xcap_machines::cache::Lock,
}

impl Peers {
    pub fn prepare(materials: &Materials) -> Result<Self> {
        let release = materials.kernel.release.clone();
        let suites = SUITES.map(str::to_owned);
        let mut packages = package_list(PACKAGES);
        packages.push(format!("linux-headers-{release}"));
        let recipe = Recipe {
            suites: &suites,
            packages: &packages,
        };
        let root = Root::ensure(&materials.cache, "peers", &recipe)?;
        let lock = materials.cache.lock("peers/work")?;
        let work = materials.cache.path("peers/work");
        fs::create_dir_all(work.join("boot"))?;
        fs::write(
            work.join(format!("boot/System.map-{release}")),
            symbols([UMASK, KNOWN].into_iter()),
        )?;
        fs::write(work.join("task_euid.h"), SYSTEMTAP_MEND)?;
        let installed = Installed::read(root.path())?;
        Ok(Self {
            root,
            release,
            installed,
            work,
            _lock: lock,
        })
    }

    /// Makes what the peer needs in a guest; an error is why it can't run on this kernel.
    pub fn ready(&self, peer: &Peer) -> Result<Ready> {
        let mut packages = vec![peer.package.to_owned()];
        let (tool, copies, note) = match &peer.kind {
            Kind::FunctionGraph => {
                return Ok(Ready {
                    tool: Tool::FunctionGraph,
                    copies: Vec::new(),
                    version: format!("of kernel {}", self.release),
                    install_mb: 0.0,
                    note: "lost is what its buffer, as the kernel sizes it, no longer held"
                        .to_owned(),
                })
            }
            Kind::SystemTap(name, script) => {
                packages.extend([
                    "gcc-14".to_owned(),
                    format!("linux-headers-{}", self.release),
                ]);
                self.systemtap(name, script)?
            }
            Kind::Bpftrace(script) => self.bpftrace(script)?,
            Kind::Perf => self.perf()?,
        };
        let version = self
            .installed
            .version(peer.package)
            .context("it isn't in the root")?;
        Ok(Ready {
            tool,
            copies,
            version: version.to_owned(),
            install_mb: self.installed.megabytes(&packages)?,
            note,
        })
    }

    /// What peers that time several functions need, whatever these are.
    pub fn timing_files(&self) -> Result<Vec<Copy>> {
        self.files(&[
            "/usr/bin/staprun",
            "/usr/lib/systemtap/stapio",
            "/usr/bin/bpftrace",
        ])
    }

    /// What times all `functions` with a script that is one function's; an error is why it can't.
    pub fn timing(&self, peer: &Peer, functions: &[Function]) -> Result<Timing> {
        let script = |script: &str| -> String {
            let each = functions.iter().enumerate();
            each.map(|(at, function)| on_function(script, at, function))
                .collect()
        };
        match &peer.kind {
            Kind::SystemTap(name, one) => {
                let names = functions.iter().map(|function| function.name.as_str());
                let map = self.work.join(format!("boot/System.map-{}", self.release));
                fs::write(map, symbols(names))?;
                let module = format!("{name}_stages");
                let from = self.systemtap_module(&module, &script(one))?;
                let to = guest_files::path(&format!("{module}.ko"));
                let mut files = self.files(&["/usr/bin/staprun", "/usr/lib/systemtap/stapio"])?;
                files.push(Copy {
                    from,
                    to: to.clone(),
                });
                Ok(Timing {
                    command: vec!["/usr/bin/staprun".into(), to],
                    files,
                })
            }
            Kind::Bpftrace(one) => Ok(Timing {
                command: vec!["/usr/bin/bpftrace".into(), "-e".into(), script(one)],
                files: self.files(&["/usr/bin/bpftrace"])?,
            }),
            Kind::FunctionGraph | Kind::Perf => bail!("it records calls, and sums nothing up"),
        }
    }

    fn sandbox(&self) -> Sandbox {
        self.root.sandbox().bind(&self.work).current_dir(&self.work)
    }

    /// Files of the root with the libraries that they need, at the same places in a guest.
    fn files(&self, paths: &[&str]) -> Result<Vec<Copy>> {
        let output = self
            .sandbox()
            .command("ldd")
            .args(paths)
            .output()
            .context("cannot run bwrap")?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let libraries = text
            .split_whitespace()
            .filter(|word| word.starts_with('/') && !word.ends_with(':'));
        let mut all: Vec<String> = libraries
            .chain(paths.iter().copied())
            .map(str::to_owned)
            .collect();
        all.sort();
        all.dedup();
        let copies = all.into_iter().map(|path| {
            let inside =
                path.replacen("/lib64/", "/usr/lib64/", 1)
                    .replacen("/usr/usr/", "/usr/", 1);
            let inside = if inside.starts_with("/lib/") {
                format!("/usr{inside}")
            } else {
                inside
            };
            Copy {
                from: self.root.path().join(inside.trim_start_matches('/')),
                to: guest_path(&path),
            }
        });
        Ok(copies.collect())
    }

    fn systemtap(&self, name: &str, script: &str) -> Result<(Tool, Vec<Copy>, String)> {
        let mut copies = self.files(&["/usr/bin/staprun", "/usr/lib/systemtap/stapio"])?;
        let mut commands = Vec::new();
        let begin = Instant::now();
        for (function, suffix) in [(UMASK, "umask"), (KNOWN, "known")] {
            let module = format!("{name}_{suffix}");
            let from = self.systemtap_module(&module, &script.replace(FUNCTION, function))?;
            let to = guest_files::path(&format!("{module}.ko"));
            let command = vec!["/usr/bin/staprun".to_owned(), to.clone()];
            commands.push((function.to_owned(), command));
            copies.push(Copy { from, to });
        }
        let seconds = begin.elapsed().as_secs_f64();
        let tool = Tool::Process {
            commands,
            format: Format::Moments,
            module: Some(format!("{name}_umask")),
        };
        let note = format!(
            "compiled outside of the guest in {seconds:.0} s for two scripts; with task_euid defined for kernel 7.3, \
             without its overload limit"
        );
        Ok((tool, copies, note))
    }

    /// Compiles a script; gives the file of its module.
    fn systemtap_module(&self, module: &str, script: &str) -> Result<PathBuf> {
        let file = self.work.join(format!("{module}.stp"));
        fs::write(&file, script)?;
        let sandbox = self.sandbox().env("HOME", &self.work.to_string_lossy());
        let boot = self.work.join("boot");
        let mut stap = sandbox.bind_at(&boot, Path::new("/boot")).command("stap");
        stap.args(["-p4", "-B"]).arg(format!(
            "CFLAGS_MODULE=-include {}",
            self.work.join("task_euid.h").display()
        ));
        stap.args(["-r", &self.release, "-m", module, "-DSTP_NO_OVERLOAD"]);
        let built = stap.arg(&file).output().context("cannot run bwrap")?;
        if !built.status.success() {
            let said = String::from_utf8_lossy(&built.stderr);
            let error = said.lines().find(|line| line.contains("error:"));
            let line = error.or(said.lines().last()).unwrap_or_default();
            bail!("its module doesn't build for this kernel: {}", line.trim());
        }
        Ok(self.work.join(format!("{module}.ko")))
    }

    fn bpftrace(&self, script: &str) -> Result<(Tool, Vec<Copy>, String)> {
        let command = |function: &str, holder: &str| {
            let script = script.replace(FUNCTION, function).replace(HOLDER, holder);
            (
                function.to_owned(),
                vec![
                    "/usr/bin/bpftrace".to_owned(),
                    "-f".into(),
                    "json".into(),
                    "-e".into(),
                    script,
                ],
            )
        };
        let tool = Tool::Process {
            commands: vec![command(UMASK, "vmlinux"), command(KNOWN, "xcap_targets")],
            format: Format::BpftraceStats,
            module: None,
        };
        Ok((tool, self.files(&["/usr/bin/bpftrace"])?, String::new()))
    }

    fn perf(&self) -> Result<(Tool, Vec<Copy>, String)> {
        let command = |function: &str| {
            let words = [
                "/usr/bin/perf",
                "ftrace",
                "latency",
                "-a",
                "-n",
                "-T",
                function,
            ];
            (function.to_owned(), words.map(str::to_owned).to_vec())
        };
        let tool = Tool::Process {
            commands: vec![command(UMASK), command(KNOWN)],
            format: Format::PerfLatency,
            module: None,
        };
        Ok((tool, self.files(&["/usr/bin/perf"])?, String::new()))
    }
}

/// A map of the kernel's symbols. Debian's is a stub, and kprobes are resolved when they are armed: names suffice.
fn symbols<'a>(functions: impl Iterator<Item = &'a str>) -> String {
    let mut map = "ffffffff81000000 T _text\nffffffff81000000 T _stext\n".to_owned();
    for (at, function) in functions.enumerate() {
        map += &format!("ffffffff81{:06x} T {function}\n", 0x10_0000 + at * 0x1000);
    }
    map + "ffffffff82000000 T _etext\n"
}

/// One function's script, with variables of its own.
fn on_function(script: &str, at: usize, function: &Function) -> String {
    let mut script = script
        .replace(FUNCTION, &function.name)
        .replace(HOLDER, &function.holder);
    for variable in ["entered", "count", "sum", "squares", "spent"] {
        script = script.replace(variable, &format!("{variable}{at}"));
    }
    script
}

/// The guest's `/usr/lib64` isn't `/lib64`, where programs look for their loader.
fn guest_path(path: &str) -> String {
    match path.strip_prefix("/usr/lib64/") {
        Some(name) => format!("/lib64/{name}"),
        None => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_function_has_its_own_variables() {
        let function = Function {
            name: "net_rx_action".into(),
            holder: "vmlinux".into(),
        };
        let script = on_function(BPFTRACE_FENTRY, 3, &function);
        assert!(
            script.contains("fexit:vmlinux:net_rx_action /@entered3[tid]/"),
            "{script}"
        );
        assert!(script.contains("@spent3 = stats("), "{script}");
        let script = on_function(SYSTEMTAP_PAPER, 0, &function);
        assert!(
            script.contains("global entered0, count0, sum0, squares0"),
            "{script}"
        );
        assert!(symbols(["a", "b"].into_iter()).contains("ffffffff81101000 T b\n"));
    }
}
