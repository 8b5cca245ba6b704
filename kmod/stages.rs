// SPDX-License-Identifier: GPL-2.0

//! The stage table: the steps of the capture path, and the functions that may be each of them.

use super::role::Role;
use kernel::str::CStr;

/// What a call's work is counted by.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Work {
    /// Nothing: every call is one step.
    None,
    /// What the function returns.
    Returned,
    /// One of its arguments, from 0.
    Argument(u8),
}

/// Where a stage is looked for.
#[derive(Clone, Copy)]
pub(crate) enum Where {
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
    pub(crate) fn includes(self, role: Role) -> bool {
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
pub(crate) struct Candidate {
    pub(crate) function: &'static CStr,
    pub(crate) found: Where,
}

/// A step of the capture path.
pub(crate) struct Stage {
    pub(crate) name: &'static CStr,
    /// The first that this kernel has is timed.
    pub(crate) candidates: &'static [Candidate],
    /// Whether a call may sleep: it then needs room for every sleeper, and code that it will
    /// return to must not go away.
    pub(crate) sleeps: bool,
    pub(crate) work: Work,
    /// What `work` counts, or `-`.
    pub(crate) unit: &'static CStr,
}

const fn at(function: &'static CStr, found: Where) -> Candidate {
    Candidate { function, found }
}

use Where::*;

const PLAIN: Stage = Stage {
    name: c"",
    candidates: &[],
    sleeps: false,
    work: Work::None,
    unit: c"-",
};

/// In the order in which a frame meets them.
pub(crate) static STAGES: &[Stage] = &[
    Stage {
        name: c"nic_irq",
        candidates: &[
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
        ..PLAIN
    },
    Stage {
        name: c"softirq",
        candidates: &[at(c"net_rx_action", Anywhere)],
        ..PLAIN
    },
    Stage {
        name: c"nic_poll",
        candidates: &[
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
        work: Work::Returned,
        unit: c"frames",
        ..PLAIN
    },
    Stage {
        name: c"bridge",
        candidates: &[at(c"br_handle_frame", Hardware)],
        ..PLAIN
    },
    Stage {
        name: c"netback",
        candidates: &[at(c"xenvif_start_xmit", Dom0)],
        ..PLAIN
    },
    Stage {
        name: c"copy",
        candidates: &[at(c"xenvif_rx_skb", Dom0)],
        ..PLAIN
    },
    Stage {
        name: c"grant_copy",
        candidates: &[at(c"gnttab_batch_copy", Dom0)],
        sleeps: true,
        work: Work::Argument(1),
        unit: c"grants",
    },
    Stage {
        name: c"notify",
        candidates: &[at(c"notify_remote_via_irq", Dom0)],
        ..PLAIN
    },
    Stage {
        name: c"deliver",
        candidates: &[at(c"packet_rcv", Anywhere)],
        ..PLAIN
    },
    Stage {
        name: c"recvmsg",
        candidates: &[at(c"packet_recvmsg", Anywhere)],
        sleeps: true,
        ..PLAIN
    },
    Stage {
        name: c"copy_user",
        candidates: &[at(c"skb_copy_datagram_iter", Anywhere)],
        // A page of the caller's buffer may have to be brought in.
        sleeps: true,
        ..PLAIN
    },
    // What else interrupts: so that it is not in the others' self time.
    Stage {
        name: c"any_irq",
        candidates: &[
            at(c"__xen_evtchn_do_upcall", Xen),
            at(c"xen_evtchn_do_upcall", Xen),
            at(c"__common_interrupt", Bare),
        ],
        ..PLAIN
    },
    Stage {
        name: c"timer_irq",
        candidates: &[at(c"__sysvec_apic_timer_interrupt", Anywhere)],
        ..PLAIN
    },
    Stage {
        name: c"any_softirq",
        candidates: &[
            at(c"handle_softirqs", Anywhere),
            at(c"__do_softirq", Anywhere),
        ],
        ..PLAIN
    },
];
