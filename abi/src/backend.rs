// SPDX-License-Identifier: GPL-2.0

//! The column `backend`, which backend is wanted, and which functions each can have.

use super::{reason::Reason, vocabulary::vocabulary};

vocabulary! {
    /// How a function is hooked.
    pub enum Backend {
        /// kprobe at entry, rethook at return.
        Kretprobe = "kretprobe",
        /// fprobe: ftrace entry, function-graph return.
        Fprobe = "fprobe",
        /// ftrace direct call into xcap's own trampoline.
        Direct = "direct",
    }
}

/// Which backend is wanted, as in `backend=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The cheapest that is safe for the function and not taken.
    Auto,
    /// This one or none.
    This(Backend),
}

impl Choice {
    const AUTO: &'static str = "auto";

    /// Its word: a backend's, or `auto`.
    pub const fn word(self) -> &'static str {
        match self {
            Choice::Auto => Self::AUTO,
            Choice::This(backend) => backend.word(),
        }
    }

    /// From its word.
    pub fn parse(word: &str) -> Option<Self> {
        if word == Self::AUTO {
            Some(Choice::Auto)
        } else {
            Backend::parse(word).map(Choice::This)
        }
    }

    /// The backends to try, the cheapest first.
    pub fn backends(self) -> impl Iterator<Item = Backend> {
        [Backend::Direct, Backend::Fprobe, Backend::Kretprobe]
            .into_iter()
            .filter(move |&backend| match self {
                Choice::Auto => true,
                Choice::This(wanted) => wanted == backend,
            })
    }
}

/// How a function takes its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arguments {
    /// All in registers.
    InRegisters,
    /// Some on the stack.
    OnStack,
    /// Nobody knows.
    Unknown,
}

/// What it depends on which backends can have a function.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// A call may sleep in it.
    pub may_sleep: bool,
    /// A call may never return from it.
    pub may_not_return: bool,
    /// Its work is one of its arguments.
    pub work_is_argument: bool,
    /// How it takes them.
    pub arguments: Arguments,
}

/// Whether `backend` can have a function, where `choice` is wanted.
///
/// # Errors
///
/// Why it can't. The kernel may refuse all the same.
pub fn eligible(backend: Backend, choice: Choice, facts: &Facts) -> Result<(), Reason> {
    if backend != Backend::Direct {
        return Ok(());
    }
    // A call that sleeps in the trampoline pins the module: only for who insists.
    if facts.may_sleep && choice == Choice::Auto {
        return Err(Reason::MaySleep);
    }
    // The trampoline is freed when the last call has returned.
    if facts.may_not_return {
        return Err(Reason::NeverReturns);
    }
    if facts.work_is_argument {
        return Err(Reason::WorkIsArgument);
    }
    // The trampoline puts a return address of its own between the function and the stack.
    match facts.arguments {
        Arguments::InRegisters => Ok(()),
        Arguments::OnStack => Err(Reason::ArgumentsOnStack),
        Arguments::Unknown => Err(Reason::ArgumentsUnknown),
    }
}
