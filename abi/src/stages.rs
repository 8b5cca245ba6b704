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
            Where::Xen => role != Role::Bare,
            Where::Dom0 => role == Role::Dom0,
            Where::DomU => !matches!(role, Role::Bare | Role::Dom0),
        }
    }
}

/// A function that may be the stage: one card's, or one way's of capturing.
pub struct Candidate {
    /// By what names kernels have it, perhaps `module:function`. The first that this one has is timed.
    pub functions: &'static [&'static CStr],
    pub found: Where,
    /// Which frame its calls are about, if that isn't as the stage says.
    pub about: Option<About>,
}

/// What is known of a stage on any kernel.
pub struct Entry {
    pub stage: Stage,
    /// All that this kernel has are timed, a line of `stats` each. A frame meets one of them: none
    /// calls another, but for the stage's fallback.
    pub candidates: &'static [Candidate],
    /// Whether a call may sleep: it then needs room for every sleeper, and code that it will
    /// return to must not go away.
    pub sleeps: bool,
    pub work: Work,
    pub about: About,
}

/// A function.
macro_rules! at {
    ($function:literal, $found:ident) => {
        Candidate {
            functions: &[$function],
            found: Where::$found,
            about: None,
        }
    };
}

pub(super) use at;

/// A function that has the frame in no socket buffer.
macro_rules! without_buffer {
    ($function:literal) => {
        Candidate {
            functions: &[$function],
            found: Anywhere,
            about: Some(Several),
        }
    };
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
pub(super) const fn about(about: About, stage: Stage, candidates: &'static [Candidate]) -> Entry {
    Entry {
        about,
        ..plain(stage, candidates)
    }
}

/// In the order in which a frame meets them.
pub static STAGES: [Entry; Stage::TxSend as usize] = [
    // A card has one handler for each kind of interrupt: MSI-X, MSI, INTx.
    about(
        Several,
        Stage::NicIrq,
        &[
            at!(c"e1000_intr_msix_rx", Anywhere),
            at!(c"e1000_intr_msi", Anywhere),
            at!(c"e1000e:e1000_intr", Anywhere),
            at!(c"e1000:e1000_intr", Anywhere),
            at!(c"igb_msix_ring", Anywhere),
            at!(c"igb_intr_msi", Anywhere),
            at!(c"igb_intr", Anywhere),
            at!(c"igbvf_intr_msix_rx", Anywhere),
            at!(c"igc_msix_ring", Anywhere),
            at!(c"igc_intr_msi", Anywhere),
            at!(c"igc_intr", Anywhere),
            at!(c"ixgbe_msix_clean_rings", Anywhere),
            at!(c"ixgbe_intr", Anywhere),
            at!(c"ixgbevf_msix_clean_rings", Anywhere),
            at!(c"i40e_msix_clean_rings", Anywhere),
            at!(c"i40e_intr", Anywhere),
            at!(c"iavf_msix_clean_rings", Anywhere),
            at!(c"ice_msix_clean_rings", Anywhere),
            at!(c"idpf_vport_intr_clean_queues", Anywhere),
            at!(c"rtl8169_interrupt", Anywhere),
            at!(c"tg3_msi_1shot", Anywhere),
            at!(c"tg3_msi", Anywhere),
            at!(c"tg3_interrupt_tagged", Anywhere),
            at!(c"tg3_interrupt", Anywhere),
            at!(c"bnx2_msi_1shot", Anywhere),
            at!(c"bnx2_msi", Anywhere),
            at!(c"bnx2_interrupt", Anywhere),
            at!(c"bnx2x_msix_fp_int", Anywhere),
            at!(c"bnx2x_interrupt", Anywhere),
            at!(c"bnxt_msix", Anywhere),
            at!(c"mlx4_en_rx_irq", Anywhere),
            at!(c"mlx5e_completion_event", Anywhere),
            at!(c"ena_intr_msix_io", Anywhere),
            at!(c"gve_intr", Anywhere),
            at!(c"gve_intr_dqo", Anywhere),
            at!(c"mana_gd_intr", Anywhere),
            at!(c"netvsc_channel_cb", Anywhere),
            at!(c"vmxnet3_msix_rx", Anywhere),
            at!(c"vmxnet3_intr", Anywhere),
            at!(c"aq_vec_isr", Anywhere),
            at!(c"be_msix", Anywhere),
            at!(c"enic_isr_msix", Anywhere),
            at!(c"qede_msix_fp_int", Anywhere),
            at!(c"t4_sge_intr_msix", Anywhere),
            at!(c"skb_recv_done", Anywhere),
            at!(c"xennet_rx_interrupt", DomU),
            at!(c"xennet_interrupt", DomU),
        ],
    ),
    about(
        Several,
        Stage::Softirq,
        &[
            at!(c"net_rx_action", Anywhere),
            // What a device's thread does instead, if it has one.
            at!(c"napi_threaded_poll_loop", Anywhere),
        ],
    ),
    Entry {
        work: Work::Returned,
        ..about(
            Several,
            Stage::NicPoll,
            &[
                at!(c"e1000e_poll", Anywhere),
                at!(c"e1000_clean", Anywhere),
                at!(c"igb_poll", Anywhere),
                at!(c"igbvf_poll", Anywhere),
                at!(c"igc_poll", Anywhere),
                at!(c"ixgbe_poll", Anywhere),
                at!(c"ixgbevf_poll", Anywhere),
                at!(c"i40e_napi_poll", Anywhere),
                at!(c"iavf_napi_poll", Anywhere),
                at!(c"ice_napi_poll", Anywhere),
                at!(c"idpf_vport_splitq_napi_poll", Anywhere),
                at!(c"rtl8169_poll", Anywhere),
                at!(c"tg3_poll_msix", Anywhere),
                at!(c"tg3_poll", Anywhere),
                at!(c"bnx2_poll_msix", Anywhere),
                at!(c"bnx2_poll", Anywhere),
                at!(c"bnx2x_poll", Anywhere),
                at!(c"bnxt_poll", Anywhere),
                at!(c"bnxt_poll_p5", Anywhere),
                at!(c"bnxt_poll_nitroa0", Anywhere),
                at!(c"mlx4_en_poll_rx_cq", Anywhere),
                at!(c"mlx5e_napi_poll", Anywhere),
                at!(c"ena_io_poll", Anywhere),
                at!(c"gve_napi_poll", Anywhere),
                at!(c"gve_napi_poll_dqo", Anywhere),
                at!(c"mana_poll", Anywhere),
                at!(c"netvsc_poll", Anywhere),
                at!(c"vmxnet3_poll_rx_only", Anywhere),
                at!(c"vmxnet3_poll", Anywhere),
                at!(c"aq_vec_poll", Anywhere),
                at!(c"be_poll", Anywhere),
                at!(c"enic_poll", Anywhere),
                at!(c"qede_poll", Anywhere),
                at!(c"cxgb4:napi_rx_handler", Anywhere),
                at!(c"virtnet_poll", Anywhere),
                at!(c"xennet_poll", DomU),
                // Calls those above, and any other driver's: readers take it where no other is there.
                Candidate {
                    functions: &[c"__napi_poll"],
                    found: Anywhere,
                    about: Some(About::None),
                },
            ],
        )
    },
    about(
        BufferPointer(0),
        Stage::Bridge,
        &[
            at!(c"br_handle_frame", Anywhere),
            // Open vSwitch's.
            at!(c"netdev_frame_hook", Anywhere),
        ],
    ),
    // Xen's backend is in dom0, or in a driver domain.
    about(Buffer(0), Stage::Netback, &[at!(c"xenvif_start_xmit", Xen)]),
    about(
        // It takes the first of those that wait, and no other thread takes any.
        Queue {
            argument: 0,
            structure: c"xenvif_queue",
            member: c"rx_queue",
        },
        Stage::Copy,
        &[at!(c"xenvif_rx_skb", Xen)],
    ),
    Entry {
        // As what it calls.
        sleeps: true,
        ..about(
            Several,
            Stage::CopyFlush,
            &[at!(c"xenvif_rx_copy_flush", Xen)],
        )
    },
    Entry {
        sleeps: true,
        work: Work::Argument(1),
        ..about(Several, Stage::GrantCopy, &[at!(c"gnttab_batch_copy", Xen)])
    },
    about(
        Several,
        Stage::Notify,
        &[at!(c"notify_remote_via_irq", Dom0)],
    ),
    about(
        Buffer(0),
        Stage::Deliver,
        &[
            at!(c"packet_rcv", Anywhere),
            // Into a ring: tcpdump, and all that uses libpcap.
            at!(c"tpacket_rcv", Anywhere),
            at!(c"packet_rcv_spkt", Anywhere),
            // To an XDP socket: from the stack, from a driver.
            without_buffer!(c"xsk_generic_rcv"),
            without_buffer!(c"__xsk_map_redirect"),
        ],
    ),
    Entry {
        sleeps: true,
        ..about(Several, Stage::Recvmsg, &[at!(c"packet_recvmsg", Anywhere)])
    },
    Entry {
        // A page of the caller's buffer may have to be brought in.
        sleeps: true,
        ..about(
            Buffer(0),
            Stage::CopyUser,
            &[at!(c"skb_copy_datagram_iter", Anywhere)],
        )
    },
    // What else interrupts: so that it is not in the others' self time.
    plain(
        Stage::AnyIrq,
        &[
            Candidate {
                functions: &[c"__xen_evtchn_do_upcall", c"xen_evtchn_do_upcall"],
                found: Xen,
                about: None,
            },
            // Where Xen emulates the machine, some cards interrupt as on a bare one.
            at!(c"__common_interrupt", Anywhere),
        ],
    ),
    plain(
        Stage::TimerIrq,
        &[at!(c"__sysvec_apic_timer_interrupt", Anywhere)],
    ),
    plain(
        Stage::AnySoftirq,
        &[Candidate {
            functions: &[c"handle_softirqs", c"__do_softirq"],
            found: Anywhere,
            about: None,
        }],
    ),
];

const _: () = {
    let mut index = 0;
    while index < STAGES.len() {
        assert!(STAGES[index].stage as usize == index);
        index += 1;
    }
};
