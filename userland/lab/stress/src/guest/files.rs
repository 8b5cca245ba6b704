// SPDX-License-Identifier: GPL-2.0

//! xcap's files, and the module.

use anyhow::{bail, Context, Result};
use nix::errno::Errno;
use nix::kmod::{delete_module, finit_module, DeleteModuleFlags, ModuleInitFlags};
use std::ffi::CString;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::time::{Duration, Instant};
use xcap_abi::paths::{CONTROL, PER_CPU, STATS};
use xcap_stats::{PerCpu, Stats};

const MODULE: &str = "/lab/xcap.ko";
const TARGETS: &str = "/lab/targets/xcap_targets.ko";

/// Who holds a file of a module's keeps it, as long as a command takes: a minute and more on a kernel that watches itself.
const HELD: Duration = Duration::from_secs(250);

/// What `control` may answer with when nothing is wrong with it.
const ANSWERS: [Errno; 13] = [
    Errno::EINVAL,
    Errno::ENOENT,
    Errno::EEXIST,
    Errno::E2BIG,
    Errno::EBUSY,
    Errno::EAGAIN,
    Errno::EOPNOTSUPP,
    Errno::EADDRNOTAVAIL,
    Errno::EINTR,
    Errno::ENOSPC,
    Errno::ENODEV,
    Errno::EILSEQ,
    Errno::ESRCH,
];

pub fn is_an_answer(errno: Errno) -> bool {
    ANSWERS.contains(&errno)
}

pub fn errno(error: &std::io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or_default())
}

pub fn open_control() -> Result<File, Errno> {
    let opened = OpenOptions::new().write(true).open(CONTROL);
    opened.map_err(|e| errno(&e))
}

/// One write: one command.
pub fn command(mut control: &File, command: &[u8]) -> Result<(), Errno> {
    control.write(command).map(drop).map_err(|e| errno(&e))
}

/// A command that has to be taken.
pub fn must(word: &str) -> Result<()> {
    let control = open_control().with_context(|| format!("cannot open {CONTROL}"))?;
    command(&control, word.as_bytes()).with_context(|| format!("'{word}' was refused"))
}

/// None: xcap isn't there, or its files aren't yet.
pub fn read(path: &str) -> Result<Option<String>> {
    match fs::read(path) {
        Ok(bytes) => {
            let text = String::from_utf8(bytes);
            text.map(Some).with_context(|| format!("{path} isn't text"))
        }
        // ENXIO: the module is on its way out.
        Err(e) if matches!(errno(&e), Errno::ENOENT | Errno::ENXIO | Errno::EINTR) => Ok(None),
        Err(e) => Err(e).with_context(|| format!("cannot read {path}")),
    }
}

/// What `stats` says; a reading whose figures contradict each other is an error.
pub fn stats() -> Result<Option<Stats>> {
    let Some(text) = read(STATS)? else {
        return Ok(None);
    };
    let stats = xcap_stats::parse(&text);
    stats
        .map(Some)
        .with_context(|| format!("in this reading: {text}"))
}

/// What each CPU measured; as [`stats`].
pub fn per_cpu() -> Result<Option<PerCpu>> {
    let Some(text) = read(PER_CPU)? else {
        return Ok(None);
    };
    let per_cpu = xcap_stats::parse_per_cpu(&text);
    per_cpu
        .map(Some)
        .with_context(|| format!("in this reading: {text}"))
}

fn is_loaded(module: &str) -> Result<bool> {
    let modules = fs::read_to_string("/proc/modules").context("cannot read /proc/modules")?;
    let mut names = modules.lines().filter_map(|line| line.split(' ').next());
    Ok(names.any(|name| name == module))
}

fn load_file(path: &str, parameters: &str) -> Result<(), Errno> {
    let file = File::open(path).map_err(|e| errno(&e))?;
    let parameters = CString::new(parameters).map_err(|_| Errno::EINVAL)?;
    finit_module(&file, &parameters, ModuleInitFlags::empty())
}

pub fn load(backend: &str, stages: &str) -> Result<(), Errno> {
    load_file(MODULE, &format!("backend={backend} stages={stages}"))
}

/// Tries to unload it once.
pub fn unload_now(module: &str) -> Result<(), Errno> {
    let name = CString::new(module).expect("names hold no 0");
    delete_module(&name, DeleteModuleFlags::O_NONBLOCK)
}

pub fn unload() -> Result<()> {
    unload_module("xcap")
}

/// Waits until nobody holds it, and it is gone.
pub fn unload_module(module: &str) -> Result<()> {
    let deadline = Instant::now() + HELD;
    loop {
        match unload_now(module) {
            Ok(()) | Err(Errno::ENOENT) => return Ok(()),
            Err(Errno::EAGAIN | Errno::EBUSY | Errno::EINTR) if Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(2));
            }
            Err(e) => bail!("{module} is not unloaded: {e}"),
        }
    }
}

/// xcap anew, with these stages, and the functions of known length.
pub fn prepare(stages: &str) -> Result<()> {
    load_targets()?;
    unload()?;
    load("auto", stages).context("xcap is not loaded")
}

pub fn load_targets() -> Result<()> {
    load_once("xcap_targets", TARGETS)
}

pub fn load_once(module: &str, path: &str) -> Result<()> {
    if !is_loaded(module)? {
        load_file(path, "").with_context(|| format!("{path} is not loaded"))?;
    }
    Ok(())
}
