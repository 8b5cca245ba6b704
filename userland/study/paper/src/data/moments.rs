// SPDX-License-Identifier: GPL-2.0

//! The tidy table of moments: all that xcap counted, as it counted it.

use schemars::JsonSchema;
use serde::Serialize;
use xcap_abi::figures;
use xcap_stats::{Histogram, Stage};
use xcap_study::load::Run;
use xcap_study::run_id::{Buffer, Domain, Environment};

type Text = String;

/// Makes [`Moments`] of the lines of `figures!`: a column each, by its name there.
macro_rules! moments {
    (
        $($group:ident { $(
            $(#[$doc:meta])* $name:ident: $type:ty, $merge:ident, $since:ident,
                $($origin:ident $(($($from:tt)*))?)+;
        )* })*
    ) => {
        /// A stage of a machine in a run, from before the first frame to after the last.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
        pub struct Moments {
            /// What the capturing program ran on.
            pub environment: Environment,
            /// `w<wait µs>s<bytes>`: the sender's pause between frames, and a frame's size.
            pub scenario: String,
            /// Room of the capturing socket: as the system gives it, or for every frame.
            pub buffer: Buffer,
            /// Which run of its kind, from 1.
            pub repetition: u32,
            /// Machine whose kernel was measured.
            pub domain: Domain,
            /// Frames that came to this machine in the run.
            pub frames: u64,
            $($(
                $(#[$doc])*
                pub $name: <$type as Column>::As,
            )*)*
        }

        impl Moments {
            fn of(run: &Run, domain: Domain, stage: &Stage) -> Self {
                Self {
                    environment: run.id.environment,
                    scenario: run.id.scenario.to_string(),
                    buffer: run.id.buffer,
                    repetition: run.id.repetition,
                    domain,
                    frames: run.frames.at(domain),
                    $($($name: Column::as_column(&stage.$name),)*)*
                }
            }
        }
    };
}

type Buckets = Histogram;

/// How a figure stands in a table.
pub trait Column {
    type As: Serialize + JsonSchema;

    fn as_column(&self) -> Self::As;
}

macro_rules! as_it_is {
    ($($type:ty)*) => { $(
        impl Column for $type {
            type As = $type;

            fn as_column(&self) -> $type {
                self.clone()
            }
        }
    )* };
}

as_it_is!(String Option<String> u64 Option<u64> u128);

impl Column for bool {
    type As = u8;

    fn as_column(&self) -> u8 {
        u8::from(*self)
    }
}

impl Column for Histogram {
    type As = String;

    fn as_column(&self) -> String {
        let each = self
            .0
            .iter()
            .map(|(bucket, count)| format!("{bucket}:{count}"));
        each.collect::<Vec<_>>().join(",")
    }
}

figures!(moments);

/// The table's rows, in the order of the runs.
pub fn rows(runs: &[Run]) -> impl Iterator<Item = Moments> + '_ {
    runs.iter().flat_map(|run| {
        run.stats.iter().flat_map(move |(&domain, stats)| {
            stats
                .stages
                .iter()
                .map(move |stage| Moments::of(run, domain, stage))
        })
    })
}
