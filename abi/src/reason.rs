// SPDX-License-Identifier: GPL-2.0

//! The column `reason`.

use super::vocabulary::vocabulary;

vocabulary! {
    /// Why a probe is in its state, or not on the backend that was to be expected.
    pub enum Reason {
        /// `stop` was written.
        Stopped = "stopped",
        /// No candidate is looked for in this role.
        OtherRole = "other_role",
        /// No candidate exists.
        NoSuchFunction = "no_such_function",
        /// The kernel forbids probes on it.
        NotProbeable = "not_probeable",
        /// Its module was unloaded.
        ModuleUnloaded = "module_unloaded",
        /// A call may sleep in it, and a direct call would pin the module.
        MaySleep = "may_sleep",
        /// Another direct call has it (a BPF fentry program, say).
        DirectTaken = "direct_taken",
        /// Some of its arguments are passed on the stack.
        ArgumentsOnStack = "arguments_on_stack",
        /// Whether all arguments are in registers is not known.
        ArgumentsUnknown = "arguments_unknown",
        /// Its work is an argument, which the direct backend does not keep.
        WorkIsArgument = "work_is_argument",
        /// A call may never return, and would be in flight in a trampoline for ever.
        NeverReturns = "never_returns",
        /// No trampoline is free.
        NoSlot = "no_slot",
        /// Calls have still to return.
        InFlight = "in_flight",
        /// The kernel refused; `probes` has the error.
        Refused = "refused",
    }
}

impl Reason {
    /// The same for people, as `probes` has it.
    pub const fn sentence(self) -> &'static str {
        match self {
            Reason::Stopped => "stopped; write start to control to go on",
            Reason::OtherRole => "not part of the capture path in this role",
            Reason::NoSuchFunction => {
                "no such function now: its driver is not loaded, or it is inlined"
            }
            Reason::NotProbeable => "the kernel forbids probes on this function",
            Reason::ModuleUnloaded => "its module was unloaded; armed again when it comes back",
            Reason::MaySleep => "not direct: calls may sleep in it (backend=direct to insist)",
            Reason::DirectTaken => "not direct: another direct call has the function",
            Reason::ArgumentsOnStack => "not direct: it takes arguments on the stack",
            Reason::ArgumentsUnknown => {
                "not direct: its arguments are not known to be in registers"
            }
            Reason::WorkIsArgument => "not direct: its work is one of its arguments",
            Reason::NeverReturns => "not direct: a call may never return (it ends a task, say)",
            Reason::NoSlot => "not direct: all trampolines are in use",
            Reason::InFlight => "waiting for calls to return through it",
            Reason::Refused => "the kernel refused",
        }
    }
}
