// SPDX-License-Identifier: GPL-2.0

//! The labs that trials share, and whose turn it is in each.

use crate::packaged;
use crate::timing::Timing;
use anyhow::{bail, ensure, Result};
use libtest_mimic::{Arguments, Failed, Trial};
use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;
use xcap_machines::build::kbuild;
use xcap_machines::config::Copy;
use xcap_machines::{Config, Lab, Materials, Place};
use xcap_study::run::lab::recorder;

/// Started when the first trial asks for them, ended when the last has had them.
#[derive(Default)]
pub struct World {
    materials: OnceLock<Materials>,
    preparing: Mutex<()>,
    /// Who starts a lab: a machine that gets no processor time while it starts takes its timer for broken.
    starting: Mutex<()>,
    /// Where each trial runs.
    places: Mutex<BTreeMap<String, On>>,
    /// How many trials are still to run.
    left: Mutex<BTreeMap<On, usize>>,
    ended: Condvar,
    labs: [Mutex<Slot>; On::ALL.len()],
    /// How many trials that start their machines themselves are at it.
    own: (Mutex<usize>, Condvar),
    /// What is wrong with the labs that have ended.
    wrong: Mutex<Vec<anyhow::Error>>,
    /// Trials that have failed, and the first line of why.
    failures: Mutex<Vec<String>>,
    pub timing: Timing,
}

#[derive(Default)]
enum Slot {
    #[default]
    NotStarted,
    Running(Box<Lab>),
    Failed,
}

/// A trial that panicked has failed already: what it locked is as good as before.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Which machines a trial wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum On {
    Xen,
    /// The bare machine and the sender.
    Bare,
    /// The bare machine without a sender.
    Unplugged,
    /// The same with its CPUs emulated at once: functions must not be hooked while they are called.
    Parallel,
    /// Machines of its own, [`OWN_AT_ONCE`] trials at a time.
    Own,
}

/// They mostly wait for one machine to start, which is one processor's work.
const OWN_AT_ONCE: usize = 2;

/// Of trials that `make test` leaves to `make test-all`: they show in another place, by another backend or on another
/// card what a trial that `make test` has shows, or do so for minutes.
const THOROUGH: &str = "thorough";

pub fn thorough(trial: Trial) -> Trial {
    trial.with_kind(THOROUGH)
}

pub fn thorough_if(so: bool, trial: Trial) -> Trial {
    if so {
        thorough(trial)
    } else {
        trial
    }
}

pub fn is_thorough(trial: &Trial) -> bool {
    trial.kind() == THOROUGH
}

impl On {
    const ALL: [Self; 5] = [
        Self::Xen,
        Self::Bare,
        Self::Unplugged,
        Self::Parallel,
        Self::Own,
    ];

    fn config(self, materials: &Materials) -> Result<Config> {
        let copies = || -> Result<_> {
            Ok(vec![
                targets(materials)?,
                rival(materials)?,
                stress(materials)?,
            ])
        };
        let recorder = || recorder(materials.program("xcap-lab")?);
        Ok(match self {
            Self::Xen => Config {
                copies: vec![recorder()?],
                ..Config::xen()
            },
            Self::Bare => Config {
                copies: [
                    copies()?,
                    vec![recorder()?, packaged::copy(materials, "tcpdump")?],
                ]
                .concat(),
                cpus_in_turn: true,
                ..Config::bare()
            },
            Self::Unplugged | Self::Parallel => Config {
                copies: copies()?,
                cpus_in_turn: self == Self::Unplugged,
                ..Config::of([Place::Bare])
            },
            Self::Own => bail!("no lab is shared by trials that have their own"),
        })
    }
}

impl World {
    /// A trial on one of the labs; what goes wrong is shown with the guests' last lines.
    pub fn trial(
        &'static self,
        name: impl Into<String>,
        on: On,
        act: impl Fn(&Lab) -> Result<()> + Send + 'static,
    ) -> Trial {
        let name = name.into();
        self.placed(name.clone(), on, move || self.with(on, &name, act))
    }

    /// A trial that starts its machines itself, if it has any.
    pub fn own_trial(
        &'static self,
        name: impl Into<String>,
        act: impl Fn() -> Result<()> + Send + 'static,
    ) -> Trial {
        let name = name.into();
        self.placed(name.clone(), On::Own, move || {
            let _turn = OwnTurn::of(self);
            let begin = Instant::now();
            let outcome = act();
            self.timing.note(&name, On::Own, begin, None);
            outcome
        })
    }

    /// When all others have ended: what is wrong with what they left.
    pub fn last_trial(&'static self, name: &str) -> Trial {
        Trial::test(name, || {
            let mut left = locked(&self.left);
            while left.values().any(|&count| count > 0) {
                left = self
                    .ended
                    .wait(left)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            let wrong: Vec<String> = locked(&self.wrong)
                .iter()
                .map(|error| format!("{error:#}"))
                .collect();
            if wrong.is_empty() {
                Ok(())
            } else {
                Err(Failed::from(wrong.join("\n")))
            }
        })
    }

    fn placed(
        &'static self,
        name: String,
        on: On,
        act: impl FnOnce() -> Result<()> + Send + 'static,
    ) -> Trial {
        locked(&self.places).insert(name.clone(), on);
        Trial::test(name.clone(), move || {
            // However the trial ends.
            let _one_less = OneLess(self, on);
            act().map_err(|e| {
                let whole = format!("{e:#}");
                let first = whole.lines().next().unwrap_or_default();
                locked(&self.failures).push(format!("{name}: {first:.200}"));
                Failed::from(whole)
            })
        })
    }

    /// Says once more what has failed, where whoever sees the end only sees it.
    pub fn tell_failures(&self) {
        for failure in locked(&self.failures).iter() {
            eprintln!("failed: {failure}");
        }
    }

    /// Tells which of the trials will run.
    pub fn expect(&self, arguments: &Arguments, trials: &[Trial]) {
        let places = locked(&self.places);
        let mut left = locked(&self.left);
        for trial in trials {
            let runs = !arguments.is_filtered_out(trial) && !arguments.is_ignored(trial);
            if let (true, Some(&on)) = (runs, places.get(trial.name())) {
                *left.entry(on).or_default() += 1;
            }
        }
    }

    /// Where a trial runs, as the order of trials has it.
    pub fn place(&self, trial: &Trial) -> Option<On> {
        locked(&self.places).get(trial.name()).copied()
    }

    fn with(&self, on: On, name: &str, act: impl FnOnce(&Lab) -> Result<()>) -> Result<()> {
        let mut slot = locked(&self.labs[on as usize]);
        if matches!(*slot, Slot::NotStarted) {
            *slot = Slot::Failed;
            let _turn = locked(&self.starting);
            let materials = self.materials()?;
            let lab = self
                .timing
                .starting(on, || Lab::boot(materials, &on.config(materials)?))
                // The failures come when all is over.
                .inspect_err(|e| eprintln!("{on:?} didn't start: {e:#}"))?;
            *slot = Slot::Running(Box::new(lab));
        }
        let Slot::Running(lab) = &mut *slot else {
            bail!("this lab didn't start");
        };
        let outcome = self
            .timing
            .measure(name, on, lab, || act(lab))
            .map_err(|e| lab.explain(e));
        if outcome.is_err() && lab.has_lost_a_guest() {
            // The next trial gets new machines.
            self.end(&mut slot);
        }
        outcome
    }

    /// Ends a lab, and notes what is wrong with it.
    fn end(&self, slot: &mut Slot) {
        if let Slot::Running(lab) = std::mem::take(slot) {
            if let Err(error) = sound(&lab) {
                locked(&self.wrong).push(error);
            }
        }
    }

    /// A trial of this place is over, whatever came of it.
    fn one_less(&self, on: On) {
        let mut left = locked(&self.left);
        if let Some(count) = left.get_mut(&on) {
            if *count == 1 {
                self.end(&mut locked(&self.labs[on as usize]));
            }
            *count -= 1;
            self.ended.notify_all();
        }
    }

    pub fn materials(&self) -> Result<&Materials> {
        let _turn = locked(&self.preparing);
        if let Some(materials) = self.materials.get() {
            return Ok(materials);
        }
        let made = Materials::prepare(None)?;
        Ok(self.materials.get_or_init(|| made))
    }
}

struct OwnTurn(&'static World);

impl OwnTurn {
    fn of(world: &'static World) -> Self {
        let (at_it, ended) = &world.own;
        let at_it = locked(at_it);
        *ended
            .wait_while(at_it, |at_it| *at_it == OWN_AT_ONCE)
            .unwrap_or_else(PoisonError::into_inner) += 1;
        Self(world)
    }
}

impl Drop for OwnTurn {
    fn drop(&mut self) {
        let (at_it, ended) = &self.0.own;
        *locked(at_it) -= 1;
        ended.notify_one();
    }
}

struct OneLess(&'static World, On);

impl Drop for OneLess {
    fn drop(&mut self) {
        self.0.one_less(self.1);
    }
}

/// Fails if something in a lab went wrong in silence.
fn sound(lab: &Lab) -> Result<()> {
    lab.logs().check()?;
    if lab.has_lost_a_guest() {
        return Ok(());
    }
    for (_, guest) in lab.guests() {
        let tainted: u32 = guest.sh("cat /proc/sys/kernel/tainted")?.trim().parse()?;
        // Bits of warnings (W) and oopses (D).
        ensure!(
            tainted & (1 << 9 | 1 << 7) == 0,
            "{}'s kernel is tainted: {tainted}",
            guest.name()
        );
    }
    Ok(())
}

/// The modules of userland/lab/targets, in `/lab/targets`.
pub fn targets(materials: &Materials) -> Result<Copy> {
    let source = xcap_machines::materials::source_tree()?.join("userland/lab/targets");
    Ok(Copy {
        from: kbuild::build(&materials.cache, &materials.kernel, &source)?,
        to: "/lab/targets".to_owned(),
    })
}

/// What takes functions from xcap.
fn rival(materials: &Materials) -> Result<Copy> {
    Ok(Copy {
        from: materials.program("xcap-fentry")?,
        to: "/usr/bin/xcap-fentry".to_owned(),
    })
}

/// The workloads of `make stress`.
fn stress(materials: &Materials) -> Result<Copy> {
    Ok(Copy {
        from: materials.program("xcap-stress")?,
        to: "/usr/bin/xcap-stress".to_owned(),
    })
}
