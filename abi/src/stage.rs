// SPDX-License-Identifier: GPL-2.0

//! The stages of the capture path.
//!
//! Which functions may be each of them is in stages.rs.

use super::vocabulary::vocabulary;

vocabulary! {
    /// A step of the capture path, or what interrupts it; in the order in which a frame meets them.
    ///
    /// In files, other names are of functions that somebody added.
    pub enum Stage {
        /// The network card's interrupt.
        NicIrq = "nic_irq",
        /// The softirq in which frames are received.
        Softirq = "softirq",
        /// The network card's driver polls it for frames.
        NicPoll = "nic_poll",
        /// The bridge takes a frame.
        Bridge = "bridge",
        /// Xen's backend queues a frame for a guest.
        Netback = "netback",
        /// Xen's backend prepares a frame's copy into the guest.
        Copy = "copy",
        /// The hypercall that copies.
        GrantCopy = "grant_copy",
        /// The hypercall that tells the guest.
        Notify = "notify",
        /// A frame is put in the capturing socket's queue.
        Deliver = "deliver",
        /// The capturing program takes a frame.
        Recvmsg = "recvmsg",
        /// The frame is copied to the capturing program.
        CopyUser = "copy_user",
        /// Any interrupt: timed so that it is in no stage's self time.
        AnyIrq = "any_irq",
        /// The timer's interrupt, likewise.
        TimerIrq = "timer_irq",
        /// Any softirq, likewise.
        AnySoftirq = "any_softirq",
    }
}

impl Stage {
    /// A name for people.
    pub const fn label(self) -> &'static str {
        match self {
            Stage::NicIrq => "interrupt",
            Stage::Softirq => "softirq",
            Stage::NicPoll => "NIC driver",
            Stage::Bridge => "bridge",
            Stage::Netback => "netback",
            Stage::Copy => "copy (frame)",
            Stage::GrantCopy => "copy (hypercall)",
            Stage::Notify => "notification",
            Stage::Deliver => "to the socket",
            Stage::Recvmsg => "recvfrom",
            Stage::CopyUser => "copy to user",
            Stage::AnyIrq => "all interrupts",
            Stage::TimerIrq => "timer",
            Stage::AnySoftirq => "all softirqs",
        }
    }

    /// What its work is counted in; none: every call is one step.
    pub const fn work_unit(self) -> Option<&'static str> {
        match self {
            // What NAPI was told: frames, but the whole budget (64, as a rule) of a poll that was not
            // done with cleaning sent frames.
            Stage::NicPoll => Some("polled"),
            Stage::GrantCopy => Some("grants"),
            _ => None,
        }
    }

    /// Whether it is a step of the capture path, not what interrupts it.
    pub const fn is_on_path(self) -> bool {
        !matches!(self, Stage::AnyIrq | Stage::TimerIrq | Stage::AnySoftirq)
    }

    /// The steps of the capture path.
    pub fn path() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|stage| stage.is_on_path())
    }
}
