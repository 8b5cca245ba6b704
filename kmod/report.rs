// SPDX-License-Identifier: GPL-2.0

//! What the debugfs files say, line by line. The formats are in abi/src/format.rs.

use super::{
    calibration::{Cost, Measured},
    cpu,
    probe::Probe,
    refusal::Refusal,
    registry::Registry,
    scope::Same,
    totals::{self, Totals},
};
use crate::abi::{
    backend::Backend,
    format,
    reason::Reason,
    record::{Record, COLUMNS},
    word::{self, Word},
};
use core::fmt;
use kernel::{prelude::*, seq_file::SeqFile, seq_print, str::CStr};

/// This kernel's release, as `uname -r` says it.
fn release() -> &'static CStr {
    // SAFETY: A C string that is fixed at boot.
    unsafe { CStr::from_ptr(super::bindings::xcap_release().cast()) }
}

/// The header of `stats` and `calibration`.
pub(crate) fn header(out: &SeqFile, registry: &Registry) {
    facts(out, registry);
    columns(out, None);
}

/// The header of `per_cpu`.
pub(crate) fn per_cpu_header(out: &SeqFile, registry: &Registry) {
    facts(out, registry);
    columns(out, Some(format::CPU));
}

fn columns(out: &SeqFile, last: Option<&str>) {
    seq_print!(out, "# columns");
    for column in COLUMNS {
        seq_print!(out, " {column}");
    }
    if let Some(column) = last {
        seq_print!(out, " {column}");
    }
    seq_print!(out, "\n");
}

fn facts(out: &SeqFile, registry: &Registry) {
    let clock = registry.clock;
    seq_print!(out, "{} {}\n", format::MAGIC, format::VERSION);
    seq_print!(out, "# kernel ");
    text(out, release());
    seq_print!(out, "\n# role {}\n", registry.context.role.word());
    seq_print!(
        out,
        "# cpus {}\n",
        cpu::possible().filter(|&cpu| cpu::is_online(cpu)).count()
    );
    seq_print!(out, "# tsc_khz {}\n", clock.khz);
    seq_print!(
        out,
        "# tsc invariant={} trapped={} rdtsc_cycles={} skew_cycles={} source=kernel\n",
        u8::from(clock.invariant),
        u8::from(clock.trapped),
        clock.rdtsc_cycles,
        clock.skew_cycles
    );
    seq_print!(out, "# recording {}\n", u8::from(registry.recording));
    for measured in registry
        .context
        .calibration
        .iter()
        .flat_map(|calibration| calibration.measured.iter())
    {
        let backend = measured.backend;
        cost(out, backend, "hot", measured.hot_cost);
        cost(out, backend, "cold", measured.cold_cost);
        for under in &measured.under {
            cost(out, backend, under.word, under.cost);
        }
        let marking = registry.context.marking_costs.as_ref();
        if let Some(marked) = marking.and_then(|costs| costs.of(backend, measured.hot_cost)) {
            cost(out, backend, "marked", marked);
        }
        let scoping = registry.context.scoping_costs.as_ref();
        for (same, words) in SCOPED {
            if let Some(scoped) =
                scoping.and_then(|costs| costs.of(backend, same, measured.hot_cost))
            {
                cost(out, backend, words[0], scoped.within);
                cost(out, backend, words[1], scoped.away);
            }
        }
    }
}

/// What calls cost that have to be in scope: those that are, and those that aren't.
const SCOPED: [(Same, [&str; 2]); 2] = [
    (Same::Interface, ["in_scope", "out_of_scope"]),
    (Same::Process, ["in_scope_pid", "out_of_scope_pid"]),
];

/// The last line of `stats` and `calibration`.
pub(crate) fn end(out: &SeqFile) {
    seq_print!(out, "{}\n", format::END);
}

fn cost(out: &SeqFile, backend: Backend, how: &str, cost: Cost) {
    seq_print!(
        out,
        "# cost {} {how} samples={} inside={} outside={}",
        backend.word(),
        cost.hits,
        cost.inside,
        cost.whole.saturating_sub(cost.inside)
    );
    if let Some((inside, whole)) = cost.quartile {
        let outside = whole.saturating_sub(inside);
        seq_print!(out, " inside_quartile={inside} outside_quartile={outside}");
    }
    seq_print!(out, "\n");
}

/// Symbols and releases are plain text.
fn plain(text: &CStr) -> &str {
    core::str::from_utf8(text.to_bytes()).unwrap_or("?")
}

fn text(out: &SeqFile, text: &CStr) {
    seq_print!(out, "{}", plain(text));
}

impl Word for KVec<u64> {
    fn write<Out: fmt::Write>(&self, out: &mut Out) -> fmt::Result {
        word::buckets(self.iter().copied().enumerate(), out)
    }
}

/// A line being written.
struct Line<'a>(&'a SeqFile);

impl fmt::Write for Line<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        seq_print!(self.0, "{text}");
        Ok(())
    }
}

fn line(out: &SeqFile, record: &Record<&str, KVec<u64>>) {
    words(out, record);
    seq_print!(out, "\n");
}

fn words(out: &SeqFile, record: &Record<&str, KVec<u64>>) {
    // A file that is full is read again, with more room.
    let _ = record.write(&mut Line(out));
}

/// A probe's line of `stats`.
pub(crate) fn stats(out: &SeqFile, probe: &Probe) -> Result {
    // Losses first: what is lost in between shows as in flight.
    let missed = probe.missed();
    line(
        out,
        &of(probe, totals::with_losses(probe.totals()?, missed)),
    );
    Ok(())
}

/// A probe's lines of `per_cpu`.
pub(crate) fn per_cpu(out: &SeqFile, probe: &Probe) -> Result {
    let missed = probe.missed();
    for cpu in cpu::possible() {
        let totals = probe.totals_on(cpu)?;
        let figures = [
            totals.entries,
            totals.count,
            totals.missed,
            totals.out_of_scope,
        ];
        if figures.iter().any(|&figure| figure != 0) {
            words(out, &of(probe, totals));
            seq_print!(out, " {cpu}\n");
        }
    }
    let lost = totals::with_losses(totals::none()?, missed);
    if lost.missed != 0 {
        words(out, &of(probe, lost));
        seq_print!(out, " -\n");
    }
    Ok(())
}

/// The figures of a probe, with its name and state.
fn of(probe: &Probe, totals: Totals) -> Record<&str, KVec<u64>> {
    Record {
        stage: plain(&probe.name),
        function: probe
            .function
            .as_ref()
            .map(|function| plain(&function.name)),
        backend: probe.backend().map(Backend::word),
        state: probe.state().word(),
        reason: probe.why().map(|why| why.reason().word()),
        work_unit: probe.work_unit(),
        scope: probe
            .scoped
            .as_ref()
            .map(|scoped| plain(&scoped.subject.text)),
        ..totals
    }
}

/// A backend's lines of `calibration`.
pub(crate) fn calibration(out: &SeqFile, measured: &Measured) {
    line(out, &measured.hot);
    line(out, &measured.known);
    line(out, &measured.cold);
    for under in &measured.under {
        line(out, &under.samples);
    }
}

/// A probe's line of `probes`: name, function, module, backend, state, and why in words.
pub(crate) fn probe(out: &SeqFile, probe: &Probe) {
    text(out, &probe.name);
    seq_print!(out, " ");
    match &probe.function {
        Some(function) => {
            text(out, &function.name);
            seq_print!(out, " ");
            text(out, function.module.as_deref().unwrap_or(c"kernel"));
        }
        None => seq_print!(out, "- -"),
    }
    let reason = probe.why().map(Refusal::reason);
    seq_print!(out, " {}", probe.backend().map_or("-", Backend::word));
    if let Some(variant) = probe.variant() {
        seq_print!(out, "({variant})");
    }
    seq_print!(
        out,
        " {} {}",
        probe.state().word(),
        reason.map_or("-", Reason::word)
    );
    if let Some(reason) = reason {
        seq_print!(out, " # {}", reason.sentence());
    }
    if let Some(Refusal::Kernel(error)) = probe.why() {
        seq_print!(out, " ({})", error.to_errno());
    }
    if let Some(scoped) = &probe.scoped {
        seq_print!(out, " # only {}", plain(&scoped.subject.text));
        if !scoped.subject.is_there() {
            seq_print!(out, ", which is gone");
        }
    }
    seq_print!(out, "\n");
}
