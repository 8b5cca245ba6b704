// SPDX-License-Identifier: GPL-2.0

//! Which figure of the paper is of which stage.

use xcap_abi::stage::Stage;

use xcap_study::run_id::Domain;

/// A figure of the paper that shows one stage.
pub struct PaperFigure {
    pub number: &'static str,
    pub domain: Domain,
    pub stage: Stage,
    /// The paper's caption.
    pub caption: &'static str,
}

const fn figure(
    number: &'static str,
    domain: Domain,
    stage: Stage,
    caption: &'static str,
) -> PaperFigure {
    PaperFigure {
        number,
        domain,
        stage,
        caption,
    }
}

/// Figures 3 to 11 of the paper, in its order.
pub const FIGURES: [PaperFigure; 9] = [
    figure(
        "3",
        Domain::Dom0,
        Stage::NicIrq,
        "Cycles used to handle the NIC's interrupt",
    ),
    figure(
        "4",
        Domain::Dom0,
        Stage::Softirq,
        "Cycles used to handle the softirq",
    ),
    figure(
        "5",
        Domain::Dom0,
        Stage::Bridge,
        "Cycles used to handle the softirq (bridge driver)",
    ),
    figure(
        "6",
        Domain::Dom0,
        Stage::Netback,
        "Cycles used to handle the softirq (netback driver)",
    ),
    figure(
        "7",
        Domain::Dom0,
        Stage::Copy,
        "Cycles used to handle netback's tasklet (copy)",
    ),
    figure(
        "8",
        Domain::Dom0,
        Stage::Notify,
        "Cycles used for the hypercall (notification)",
    ),
    figure(
        "9",
        Domain::DomU,
        Stage::NicIrq,
        "Cycles used to handle the NIC's interrupt",
    ),
    figure(
        "10",
        Domain::DomU,
        Stage::Softirq,
        "Cycles used to handle the softirq",
    ),
    figure(
        "11",
        Domain::DomU,
        Stage::CopyUser,
        "Cycles used to copy from kernel to user mode",
    ),
];
