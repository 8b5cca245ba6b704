// SPDX-License-Identifier: GPL-2.0

//! What the debugfs files say, line by line. The formats are in abi/src/format.rs.

use super::{
    backend::{Backend, Missed},
    calibration::{Cost, Measured},
    cell::Totals,
    decimal::Decimal,
    probe::Probe,
    registry::Registry,
};
use crate::abi::format;
use kernel::{prelude::*, seq_file::SeqFile, seq_print, str::CStr};

/// This kernel's release, as `uname -r` says it.
fn release() -> &'static CStr {
    // SAFETY: A C string that is fixed at boot.
    unsafe { CStr::from_ptr(super::bindings::xcap_release().cast()) }
}

/// The header of `stats` and `calibration`.
pub(crate) fn header(out: &SeqFile, registry: &Registry) {
    let clock = registry.clock;
    seq_print!(out, "{} {}\n", format::MAGIC, format::VERSION);
    seq_print!(out, "# kernel ");
    text(out, release());
    seq_print!(out, "\n# role {}\n", registry.around.role.word());
    seq_print!(
        out,
        "# cpus {}\n",
        super::cpu::possible()
            .filter(|&cpu| super::cpu::is_online(cpu))
            .count()
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
        .around
        .calibration
        .iter()
        .flat_map(|calibration| calibration.measured.iter())
    {
        let backend = measured.backend;
        cost(out, backend, "hot", measured.hot_cost);
        cost(out, backend, "cold", measured.cold_cost);
    }
    seq_print!(out, "# columns");
    for column in format::COLUMNS {
        seq_print!(out, " {column}");
    }
    seq_print!(out, "\n");
}

/// The last line of `stats` and `calibration`.
pub(crate) fn end(out: &SeqFile) {
    seq_print!(out, "{}\n", format::END);
}

fn cost(out: &SeqFile, backend: Backend, how: &str, cost: Cost) {
    seq_print!(
        out,
        "# cost {} {how} samples={} inside={} outside={}\n",
        backend.word(),
        cost.hits,
        cost.inside,
        cost.whole.saturating_sub(cost.inside)
    );
}

/// Symbols and releases are plain text.
fn text(out: &SeqFile, text: &CStr) {
    seq_print!(
        out,
        "{}",
        core::str::from_utf8(text.to_bytes()).unwrap_or("?")
    );
}

/// A probe's line of `stats`.
pub(crate) fn stats(out: &SeqFile, probe: &Probe) -> Result {
    text(out, &probe.name);
    seq_print!(out, " ");
    match &probe.function {
        Some(function) => text(out, &function.name),
        None => seq_print!(out, "-"),
    }
    seq_print!(
        out,
        " {} {} {}",
        probe.backend().map_or("-", Backend::word),
        probe.state,
        probe.reason.word()
    );
    // Losses first: what is lost in between shows as in flight.
    let missed = probe.missed();
    numbers(out, &probe.totals()?, missed, probe.unit());
    Ok(())
}

/// A backend's lines of `calibration`.
pub(crate) fn calibration(out: &SeqFile, measured: &Measured) {
    for (name, totals) in [("floor_hot", &measured.hot), ("floor_cold", &measured.cold)] {
        seq_print!(
            out,
            "{name} xcap_empty {} stopped -",
            measured.backend.word()
        );
        numbers(out, totals, Missed::default(), c"-");
    }
}

/// The columns from `count` on.
fn numbers(out: &SeqFile, totals: &Totals, missed: Missed, unit: &CStr) {
    let min = if totals.count == 0 { 0 } else { totals.min };
    let lost = missed.pool.wrapping_add(missed.busy);
    seq_print!(
        out,
        " {} {} {} {} {}",
        totals.count,
        totals.sum,
        Decimal(totals.sumsq),
        min,
        totals.max
    );
    seq_print!(
        out,
        " {} {} {} {} {} {} {}",
        totals.entries.wrapping_add(lost),
        lost.wrapping_add(totals.straddled)
            .wrapping_add(totals.negative),
        missed.pool,
        missed.busy,
        totals.straddled,
        totals.negative,
        totals.in_flight()
    );
    let alone = totals
        .count
        .wrapping_sub(totals.migrated)
        .wrapping_sub(totals.switched);
    seq_print!(
        out,
        " {} {} {} {} {} {} {} ",
        totals.migrated,
        totals.switched,
        alone,
        totals.self_sum,
        totals.work,
        totals.nested_cost,
        totals.nested_outside
    );
    text(out, unit);
    seq_print!(out, " {} ", u8::from(totals.exact));
    let mut separator = "";
    for (bucket, &count) in totals.histogram.iter().enumerate() {
        if count != 0 {
            seq_print!(out, "{separator}{bucket}:{count}");
            separator = ",";
        }
    }
    seq_print!(out, "{}\n", if separator.is_empty() { "-" } else { "" });
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
    seq_print!(
        out,
        " {}",
        probe.backend().map_or("-", Backend::word)
    );
    if let Some(variant) = probe.variant() {
        seq_print!(out, "({})", variant.word());
    }
    seq_print!(out, " {} {}", probe.state, probe.reason.word());
    let sentence = probe.reason.sentence();
    if !sentence.is_empty() {
        seq_print!(out, " # {sentence}");
    }
    if let super::probe::Reason::Refused(error) = probe.reason {
        seq_print!(out, " ({})", error.to_errno());
    }
    seq_print!(out, "\n");
}
