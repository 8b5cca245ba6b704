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
        /// Xen's backend has all that it prepared copied, answers the guest, and frees the frames.
        CopyFlush = "copy_flush",
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
        /// A program sends a frame. This and what follows is timed after `transmit on`.
        TxSend = "tx_send",
        /// A frame is queued for an interface, and taken from the queue.
        TxQueue = "tx_queue",
        /// A guest's interface grants a frame to Xen's backend, and notifies it.
        TxNetfront = "tx_netfront",
        /// Xen's backend takes frames from a guest, and hands them on.
        TxNetback = "tx_netback",
        /// Xen's backend tells a guest that a frame was taken, and notifies it.
        TxRelease = "tx_release",
        /// The network card's driver hands a frame to the card.
        TxCard = "tx_card",
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
            Stage::CopyFlush => "copy (batch)",
            Stage::GrantCopy => "copy (hypercall)",
            Stage::Notify => "notification",
            Stage::Deliver => "to the socket",
            Stage::Recvmsg => "recvfrom",
            Stage::CopyUser => "copy to user",
            Stage::AnyIrq => "all interrupts",
            Stage::TimerIrq => "timer",
            Stage::AnySoftirq => "all softirqs",
            Stage::TxSend => "send",
            Stage::TxQueue => "queue to send",
            Stage::TxNetfront => "netfront, sending",
            Stage::TxNetback => "netback, sending",
            Stage::TxRelease => "answer to the guest",
            Stage::TxCard => "NIC driver, sending",
        }
    }

    /// What its work is counted in; none: every call is one step.
    pub const fn work_unit(self) -> Option<&'static str> {
        match self {
            // What NAPI was told: frames, but the whole budget (64, as a rule) of a poll that was not
            // done with cleaning sent frames.
            Stage::NicPoll => Some("polled"),
            Stage::GrantCopy => Some("grants"),
            Stage::TxNetback => Some("frames"),
            _ => None,
        }
    }

    /// The function that calls the stage's others: it stands for one that is none of them.
    pub const fn fallback(self) -> Option<&'static str> {
        match self {
            Stage::NicPoll => Some("__napi_poll"),
            _ => None,
        }
    }

    /// Whether it is a step of the capture path, not what interrupts it or what sends.
    pub const fn is_on_path(self) -> bool {
        let interrupts = matches!(self, Stage::AnyIrq | Stage::TimerIrq | Stage::AnySoftirq);
        !interrupts && !self.is_transmit()
    }

    /// Whether it is a step of sending only, and timed only when that is switched on.
    pub const fn is_transmit(self) -> bool {
        self as usize >= Self::TxSend as usize
    }

    /// Whether it runs in a task's context, where the reception of frames may preempt it: what a call
    /// takes then holds what others took.
    pub const fn runs_in_task(self) -> bool {
        matches!(
            self,
            Stage::Copy
                | Stage::GrantCopy
                | Stage::Notify
                | Stage::Recvmsg
                | Stage::CopyUser
                | Stage::TxSend
                | Stage::TxQueue
                | Stage::TxNetfront
        )
    }

    /// The steps of the capture path.
    pub fn path() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|stage| stage.is_on_path())
    }
}
