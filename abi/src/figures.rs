// SPDX-License-Identifier: GPL-2.0

//! What is known of a probe: one line a figure, from which all that handles figures follows.
//!
//! The columns of `stats`, the kernel's totals, the writer, the reader, what two CPUs or two
//! readings make, and the keys of userland's JSON are made from these lines. A line says, in this
//! order: the column's name; its type; how the CPUs' figures become one ([`Merge`]); what two
//! readings say of the time between them ([`Since`]); where it comes from:
//!
//! - `cell(WORD)`: the word `XCAP_CELL_WORD` of kmod/cell.h, which the hot path counts in;
//!   `wide(WORD)`: that and the next one, 128 bits.
//! - `lost(COUNT)`: what the backend itself lost (`Missed` of kmod/).
//! - `derived(…)`: a sum or a difference of other figures.
//! - `probe`, `snapshot`: what the probe is, and what was seen when it was read.
//!
//! To add a counter: a line at the end, `later`, and an instruction in the hot path, with its
//! offset in kmod/cell.h.
//!
//! [`Merge`]: crate::rules::Merge
//! [`Since`]: crate::rules::Since

/// Calls the macro `$with` with the lines; what follows its name stands at their end.
#[macro_export]
macro_rules! figures {
    ($with:ident $($added:tt)*) => {
        $with! {
            identity {
                /// Name of the stage, as in the stage table or `add … as NAME`.
                stage: Text, First, Later, probe;
                /// The kernel function whose calls are timed, or `-`.
                function: Option<Text>, First, Later, probe;
                /// A word of `Backend`, or `-`.
                backend: Option<Text>, First, Later, probe;
                /// A word of `State`.
                state: Text, First, Later, probe;
                /// Why the stage is in this state: a word of `Reason`, or `-`.
                reason: Option<Text>, First, Later, probe;
            }
            calls {
                /// Calls that yielded a sample.
                count: u64, Sum, Difference, cell(done);
                /// Sum of the samples, cycles.
                sum: u128, Sum, Difference, cell(sum);
                /// Sum of their squares, cycles², up to 128 bits.
                sumsq: u128, Sum, Difference, wide(sumsq);
                /// Least sample, cycles; 0 when `count` is 0.
                min: Option<u64>, Least, Fresh, cell(min);
                /// Greatest sample, cycles; 0 when `count` is 0.
                max: Option<u64>, Greatest, Fresh, cell(max);
                /// Calls in scope entered since `reset`; less, when they have returned, those that began when
                /// nothing counted. At rest: entries = count + missed + in_flight.
                entries: u64, Sum, Difference, cell(entries) lost(pool + busy);
                /// Entries that yielded no sample: the sum of the `missed_*` columns.
                missed: u64, Sum, Difference,
                    derived(missed_pool + missed_busy + missed_straddled + missed_negative);
                /// … because no kretprobe instance or no shadow stack was free.
                missed_pool: u64, Sum, Difference, lost(pool);
                /// … because they hit inside another probe's handler.
                missed_busy: u64, Sum, Difference, lost(busy);
                /// … because the call straddled `start`, `stop` or `reset`.
                missed_straddled: u64, Sum, Difference, cell(straddled);
                /// … because the TSC ran backwards in between.
                missed_negative: u64, Sum, Difference, cell(negative);
                /// Calls entered and not yet returned.
                in_flight: u64, Sum, Later, derived(entries - count - missed);
                /// Samples whose call ended on another CPU than it began on.
                migrated: u64, Sum, Difference, cell(migrated);
                /// Samples during which the CPU switched to another task (not migrated).
                switched: u64, Sum, Difference, cell(switched);
            }
            costs {
                /// Samples with a self time: count − migrated − switched.
                self_count: u64, Sum, Difference, derived(count - migrated - switched);
                /// Sum of self times, cycles: sample less nested stages and interrupts.
                self_sum: u128, Sum, Difference, cell(self_sum);
                /// Work done by the counted calls (polled frames, grants), 0 where the stage has none.
                work: u64, Sum, Difference, cell(work);
                /// What the probes nested in the calls with a self time cost, cycles, by `# cost`.
                nested_cost: u128, Sum, Difference, cell(nested_cost);
                /// Part of `nested_cost` that lies outside the nested samples, so in the self time.
                nested_outside: u128, Sum, Difference, cell(nested_outside);
                /// What `work` counts: `polled` (frames, and a NAPI budget for each poll that was not done
                /// with cleaning sent frames), `grants`, or `-`.
                work_unit: Option<Text>, First, Later, probe;
                /// 1: all columns describe one set of samples; 0: approximate (`stop` makes it exact).
                exact: bool, All, All, snapshot;
                /// Histogram: `bucket:count` for each bucket that is not empty, by commas, or `-`.
                histogram: Buckets, Sum, Difference, snapshot;
            }
            // Columns that not every module has: at the end, so that older readers find what they know.
            later_words {
                /// Whose calls alone count: `interface:NAME`, `netns:NUMBER`, `pid:NUMBER`; or `-`, everybody's.
                scope: Option<Text>, First, Later, probe;
            }
            // Counters are added here.
            later {
                /// Calls that are no entries, because they were out of the probe's scope (`only`).
                out_of_scope: u64, Sum, Difference, cell(out_of_scope);
                $($added)*
            }
        }
    };
}
