// SPDX-License-Identifier: GPL-2.0

//! Returns that a processor would mispredict.

use super::text::table;
use crate::mispredicted::Mispredicted;
use crate::returns::{DEEP, FRAME_FUNCTIONS, SHALLOW};
use std::fmt::Write;
use xcap_returns::ENTRIES;

pub fn write(out: &mut String, all: &[Mispredicted]) {
    let [small, large] = ENTRIES;
    let _ = write!(
        out,
        "## Mispredicted returns\n\n\
         A processor expects a return to go where the last call came from, by a stack of {small} or {large} entries. A\n\
         probe that leaves an entry on it, or takes one, makes returns be mispredicted, each ten to twenty cycles: its\n\
         own (*a hit*), and with what is left unbalanced those of all callers (*an enclosing return*), in whose\n\
         samples that time is. Instruction counts don't show it. So the emulator models that stack\n\
         (userland/bench/returns-qemu): counted are the kernel's returns that don't go where it says, beyond those\n\
         without a probe, of a function below {SHALLOW} and {DEEP} others. *Frame*: of a frame's way through the loopback\n\
         device, with probes on {}, one in another, for each hit.\n\
         Where the callers are more than the stack has entries, a hit of `direct(jump)` costs one: it is a call\n\
         more, and one caller more is forgotten. `make test` fails where `direct` costs more than this:\n\
         (jump) nothing else, (call) one a hit, and never an enclosing return. With `spectre_v2=off`: the return of a\n\
         retpoline is mispredicted by design.\n\n",
        FRAME_FUNCTIONS
            .map(|function| format!("`{function}`"))
            .join(", "),
    );
    let header: Vec<String> = ENTRIES
        .iter()
        .flat_map(|entries| {
            ["a hit", "an enclosing return", "frame"]
                .map(|what| format!("{what}, {entries} entries"))
        })
        .collect();
    let header: Vec<&str> = std::iter::once("mechanism")
        .chain(header.iter().map(String::as_str))
        .collect();
    let rows = all.iter().map(|one| {
        let cells = (0..ENTRIES.len()).flat_map(|size| {
            [one.a_hit, one.an_enclosing_return, one.a_hit_on_a_frame]
                .map(|counts| format!("{:.2}", counts[size]))
        });
        std::iter::once(one.mechanism.clone())
            .chain(cells)
            .collect()
    });
    table(out, &header, rows);
}
