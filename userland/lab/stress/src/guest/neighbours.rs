// SPDX-License-Identifier: GPL-2.0

//! Others who hook functions come and go: BPF, livepatch, kprobes, ftrace's tracers, perf.

use crate::guest::actors::{among, Actors};
use crate::guest::files;
use crate::guest::journal::Journal;
use crate::guest::round::Rounds;
use crate::guest::stages;
use crate::guest::watch::Watch;
use anyhow::{bail, Context, Result};
use fastrand::Rng;
use perf_event::events::Software;
use perf_event::Builder;
use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const TRACING: &str = "/sys/kernel/tracing";
const LIVEPATCH: &str = "/sys/kernel/livepatch/xcap_livepatch";
const PATCH_MODULE: &str = "/lab/targets/xcap_livepatch.ko";

/// So long each stays.
const STAY: Duration = Duration::from_millis(30);

pub fn run(rounds: &mut Rounds, seed: u64, journal: &Journal, watch: &Watch) -> Result<()> {
    files::prepare(stages::ALL)?;
    // Functions that the neighbours have, too.
    for function in ["vfs_read", "xcap_target_10", "__x64_sys_umask"] {
        files::must(&format!("add {function}"))?;
    }
    among(Actors::with_commands(seed), journal, watch, || {
        let mut rng = Rng::with_seed(seed);
        while rounds.next().is_some() {
            match rng.u32(..7) {
                0 => bpf(&mut rng)?,
                1 => livepatch()?,
                2 => probe_event("p:stress vfs_read", "kprobe_events")?,
                3 => probe_event("r:stress __x64_sys_umask", "kprobe_events")?,
                4 => tracer("function")?,
                5 => tracer("function_graph")?,
                _ => perf()?,
            }
        }
        Ok(())
    })
}

/// Has a function for a while; xcap may have it already, and then it is told so.
fn bpf(rng: &mut Rng) -> Result<()> {
    let functions = ["vfs_read", "__x64_sys_umask", "net_rx_action"];
    let function = functions[rng.usize(..functions.len())];
    let mut holder = Command::new("xcap-fentry")
        .arg(function)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context("xcap-fentry doesn't start")?;
    let mut ready = [0; 6];
    // It says nothing where it can't have the function.
    let _ = holder.stdout.as_mut().expect("piped").read(&mut ready);
    sleep(STAY);
    drop(holder.stdin.take());
    holder.wait()?;
    Ok(())
}

fn livepatch() -> Result<()> {
    if !fs::exists(PATCH_MODULE)? {
        return Ok(());
    }
    let status = Command::new("insmod").arg(PATCH_MODULE).output()?;
    if !status.status.success() {
        // A function of its can't be had just now.
        return Ok(());
    }
    sleep(STAY);
    let deadline = Instant::now() + Duration::from_secs(60);
    while fs::exists(LIVEPATCH)? {
        // Refused while it is on its way in.
        let _ = fs::write(format!("{LIVEPATCH}/enabled"), "0");
        if Instant::now() > deadline {
            bail!("the live patch doesn't go");
        }
        sleep(Duration::from_millis(20));
    }
    files::unload_module("xcap_livepatch")
}

fn write(file: &str, word: &str) -> Result<()> {
    let path = format!("{TRACING}/{file}");
    fs::write(&path, word).with_context(|| format!("'{word}' into {path}"))
}

fn probe_event(definition: &str, file: &str) -> Result<()> {
    write(file, definition)?;
    write("events/kprobes/stress/enable", "1")?;
    sleep(STAY);
    write("events/kprobes/stress/enable", "0")?;
    write(file, "")
}

fn tracer(name: &str) -> Result<()> {
    // All functions would take as long as everything else together.
    write("set_ftrace_filter", "vfs_*")?;
    write("current_tracer", name)?;
    sleep(STAY);
    write("current_tracer", "nop")?;
    write("set_ftrace_filter", "")
}

/// Interrupts whatever runs on a CPU, and looks at its stack.
pub fn perf() -> Result<()> {
    let mut builder = Builder::new(Software::CPU_CLOCK);
    builder.any_pid().one_cpu(0).include_kernel();
    let mut counter = builder
        .sample_frequency(1000)
        .build()
        .context("perf_event_open() refuses")?;
    counter.enable()?;
    sleep(STAY);
    counter.disable()?;
    Ok(())
}
