// SPDX-License-Identifier: GPL-2.0

//! The stage table: the functions that may be each step of the capture path.

use super::{role::Role, stage::Stage};
use core::ffi::CStr;

/// What a call's work is counted by.
#[derive(Clone, Copy, PartialEq)]
pub enum Work {
    /// Nothing: every call is one step.
    None,
    /// What the function returns.
    Returned,
    /// One of its arguments, from 0.
    Argument(u8),
}

/// Which frame a call is about.
#[derive(Clone, Copy)]
pub enum About {
    /// No frame, or nobody asks: calls leave no marks.
    None,
    /// Several, or none in particular.
    Several,
    /// The one in the socket buffer that this argument, from 0, points to.
    Buffer(u8),
    /// The one in what is pointed to by what that argument points to.
    BufferPointer(u8),
    /// The first in a queue that is part of what that argument points to.
    Queue {
        argument: u8,
        structure: &'static CStr,
        member: &'static CStr,
    },
}

/// Where a stage is looked for.
#[derive(Clone, Copy)]
pub enum Where {
    Anywhere,
    /// Where the machine's own network cards are.
    Hardware,
    /// Not under Xen.
    Bare,
    /// Under Xen, privileged or not.
    Xen,
    /// Where Xen's backends are.
    Dom0,
    /// In an unprivileged guest.
    DomU,
}

impl Where {
    pub fn includes(self, role: Role) -> bool {
        match self {
            Where::Anywhere => true,
            Where::Hardware => matches!(role, Role::Bare | Role::Dom0),
            Where::Bare => role == Role::Bare,
            Where::Xen => role != Role::Bare,
            Where::Dom0 => role == Role::Dom0,
            Where::DomU => !matches!(role, Role::Bare | Role::Dom0),
        }
    }
}

/// A function that may be the stage.
pub struct Candidate {
    pub function: &'static CStr,
    pub found: Where,
}

/// What is known of a stage on any kernel.
pub struct Entry {
    pub stage: Stage,
    /// The first that this kernel has is timed.
    pub candidates: &'static [Candidate],
    /// Whether a call may sleep: it then needs room for every sleeper, and code that it will
    /// return to must not go away.
    pub sleeps: bool,
    pub work: Work,
    pub about: About,
}

const fn at(function: &'static CStr, found: Where) -> Candidate {
    Candidate { function, found }
}

use About::{Buffer, BufferPointer, Queue, Several};
use Where::*;

/// A stage whose calls don't sleep, and are a step each.
const fn plain(stage: Stage, candidates: &'static [Candidate]) -> Entry {
    Entry {
        stage,
        candidates,
        sleeps: false,
        work: Work::None,
        about: About::None,
    }
}

/// The same, of calls about such frames.
const fn about(about: About, stage: Stage, candidates: &'static [Candidate]) -> Entry {
    Entry {
        about,
        ..plain(stage, candidates)
    }
}

/// In the order in which a frame meets them.
pub static STAGES: [Entry; Stage::ALL.len()] = [
    about(
        Several,
        Stage::NicIrq,
        &[
            at(c"e1000_intr_msix_rx", Hardware),
            at(c"igb_msix_ring", Hardware),
            at(c"ixgbe_msix_clean_rings", Hardware),
            at(c"i40e_msix_clean_rings", Hardware),
            at(c"ice_msix_clean_rings", Hardware),
            at(c"mlx5e_completion_event", Hardware),
            at(c"skb_recv_done", Anywhere),
            at(c"xennet_rx_interrupt", DomU),
            at(c"xennet_interrupt", DomU),
            at(c"e1000_intr", Anywhere),
        ],
    ),
    about(Several, Stage::Softirq, &[at(c"net_rx_action", Anywhere)]),
    Entry {
        work: Work::Returned,
        ..about(
            Several,
            Stage::NicPoll,
            &[
                at(c"e1000e_poll", Hardware),
                at(c"igb_poll", Hardware),
                at(c"ixgbe_poll", Hardware),
                at(c"i40e_napi_poll", Hardware),
                at(c"ice_napi_poll", Hardware),
                at(c"mlx5e_napi_poll", Hardware),
                at(c"virtnet_poll", Anywhere),
                at(c"xennet_poll", DomU),
                at(c"e1000_clean", Anywhere),
            ],
        )
    },
    about(
        BufferPointer(0),
        Stage::Bridge,
        &[at(c"br_handle_frame", Hardware)],
    ),
    about(Buffer(0), Stage::Netback, &[at(c"xenvif_start_xmit", Dom0)]),
    about(
        // It takes the first of those that wait, and no other thread takes any.
        Queue {
            argument: 0,
            structure: c"xenvif_queue",
            member: c"rx_queue",
        },
        Stage::Copy,
        &[at(c"xenvif_rx_skb", Dom0)],
    ),
    Entry {
        sleeps: true,
        work: Work::Argument(1),
        ..about(Several, Stage::GrantCopy, &[at(c"gnttab_batch_copy", Dom0)])
    },
    about(
        Several,
        Stage::Notify,
        &[at(c"notify_remote_via_irq", Dom0)],
    ),
    about(Buffer(0), Stage::Deliver, &[at(c"packet_rcv", Anywhere)]),
    Entry {
        sleeps: true,
        ..about(Several, Stage::Recvmsg, &[at(c"packet_recvmsg", Anywhere)])
    },
    Entry {
        // A page of the caller's buffer may have to be brought in.
        sleeps: true,
        ..about(
            Buffer(0),
            Stage::CopyUser,
            &[at(c"skb_copy_datagram_iter", Anywhere)],
        )
    },
    // What else interrupts: so that it is not in the others' self time.
    plain(
        Stage::AnyIrq,
        &[
            at(c"__xen_evtchn_do_upcall", Xen),
            at(c"xen_evtchn_do_upcall", Xen),
            at(c"__common_interrupt", Bare),
        ],
    ),
    plain(
        Stage::TimerIrq,
        &[at(c"__sysvec_apic_timer_interrupt", Anywhere)],
    ),
    plain(
        Stage::AnySoftirq,
        &[
            at(c"handle_softirqs", Anywhere),
            at(c"__do_softirq", Anywhere),
        ],
    ),
];

const _: () = {
    let mut index = 0;
    while index < STAGES.len() {
        assert!(STAGES[index].stage as usize == index);
        index += 1;
    }
};
