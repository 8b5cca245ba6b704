// SPDX-License-Identifier: GPL-2.0

//! The stage table of sending: the functions that may be each step from a program to the card.
//!
//! Frames of a guest also pass the stage `bridge`, between the backend that takes them and the queue
//! of the card: the same function as for frames that are received.

use super::{
    stage::Stage,
    stages::{
        about, at,
        About::{Buffer, Several},
        Candidate, Entry, Where, Work,
    },
};

/// In the order of [`Stage`].
pub static TRANSMIT: [Entry; Stage::ALL.len() - Stage::TxSend as usize] = [
    Entry {
        sleeps: true,
        ..about(
            Several,
            Stage::TxSend,
            // Of the sockets that are captured with.
            &[
                at!(c"packet_sendmsg", Anywhere),
                at!(c"packet_sendmsg_spkt", Anywhere),
            ],
        )
    },
    about(
        Buffer(0),
        Stage::TxQueue,
        &[at!(c"__dev_queue_xmit", Anywhere)],
    ),
    about(
        Buffer(0),
        Stage::TxNetfront,
        &[at!(c"xennet_start_xmit", DomU)],
    ),
    Entry {
        work: Work::Returned,
        // Xen's backend is in dom0, or in a driver domain.
        ..about(Several, Stage::TxNetback, &[at!(c"xenvif_tx_action", Xen)])
    },
    about(
        Several,
        Stage::TxRelease,
        &[at!(c"xenvif_idx_release", Xen)],
    ),
    about(
        Buffer(0),
        Stage::TxCard,
        &[
            at!(c"e1000e:e1000_xmit_frame", Anywhere),
            at!(c"e1000:e1000_xmit_frame", Anywhere),
            at!(c"igb_xmit_frame", Anywhere),
            at!(c"igbvf_xmit_frame", Anywhere),
            at!(c"igc_xmit_frame", Anywhere),
            at!(c"ixgbe_xmit_frame", Anywhere),
            at!(c"ixgbevf_xmit_frame", Anywhere),
            at!(c"i40e_lan_xmit_frame", Anywhere),
            at!(c"iavf_xmit_frame", Anywhere),
            at!(c"ice_start_xmit", Anywhere),
            at!(c"idpf_tx_start", Anywhere),
            at!(c"rtl8169_start_xmit", Anywhere),
            at!(c"tg3_start_xmit", Anywhere),
            at!(c"bnx2_start_xmit", Anywhere),
            at!(c"bnx2x_start_xmit", Anywhere),
            at!(c"bnxt_start_xmit", Anywhere),
            at!(c"mlx4_en_xmit", Anywhere),
            at!(c"mlx5e_xmit", Anywhere),
            at!(c"ena_start_xmit", Anywhere),
            at!(c"gve_start_xmit", Anywhere),
            at!(c"mana_start_xmit", Anywhere),
            at!(c"netvsc_start_xmit", Anywhere),
            at!(c"vmxnet3_xmit_frame", Anywhere),
            at!(c"aq_ndev_start_xmit", Anywhere),
            at!(c"be_xmit", Anywhere),
            at!(c"enic_hard_start_xmit", Anywhere),
            at!(c"qede_start_xmit", Anywhere),
            at!(c"t4_start_xmit", Anywhere),
            at!(c"virtio_net:start_xmit", Anywhere),
        ],
    ),
];

const _: () = {
    let mut index = 0;
    while index < TRANSMIT.len() {
        assert!(TRANSMIT[index].stage as usize == Stage::TxSend as usize + index);
        index += 1;
    }
};
