// SPDX-License-Identifier: GPL-2.0

//! How stages are called in the report, and which figure of the paper is of which.

use xcap_study::run_id::Domain;

/// A figure of the paper that shows one stage.
pub struct PaperFigure {
    pub number: &'static str,
    pub domain: Domain,
    pub stage: &'static str,
    /// The paper's caption.
    pub caption: &'static str,
}

const fn figure(
    number: &'static str,
    domain: Domain,
    stage: &'static str,
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
        "nic_irq",
        "Cycles used to handle the NIC's interrupt",
    ),
    figure(
        "4",
        Domain::Dom0,
        "softirq",
        "Cycles used to handle the softirq",
    ),
    figure(
        "5",
        Domain::Dom0,
        "bridge",
        "Cycles used to handle the softirq (bridge driver)",
    ),
    figure(
        "6",
        Domain::Dom0,
        "netback",
        "Cycles used to handle the softirq (netback driver)",
    ),
    figure(
        "7",
        Domain::Dom0,
        "copy",
        "Cycles used to handle netback's tasklet (copy)",
    ),
    figure(
        "8",
        Domain::Dom0,
        "notify",
        "Cycles used for the hypercall (notification)",
    ),
    figure(
        "9",
        Domain::DomU,
        "nic_irq",
        "Cycles used to handle the NIC's interrupt",
    ),
    figure(
        "10",
        Domain::DomU,
        "softirq",
        "Cycles used to handle the softirq",
    ),
    figure(
        "11",
        Domain::DomU,
        "copy_user",
        "Cycles used to copy from kernel to user mode",
    ),
];

/// Stages as a frame meets them, each with a name for people.
const NAMES: [(&str, &str); 14] = [
    ("nic_irq", "interrupt"),
    ("softirq", "softirq"),
    ("nic_poll", "NIC driver"),
    ("bridge", "bridge"),
    ("netback", "netback"),
    ("copy", "copy (frame)"),
    ("grant_copy", "copy (hypercall)"),
    ("notify", "notification"),
    ("deliver", "to the socket"),
    ("recvmsg", "recvfrom"),
    ("copy_user", "copy to user"),
    ("any_irq", "all interrupts"),
    ("timer_irq", "timer"),
    ("any_softirq", "all softirqs"),
];

/// Stages of the capture path; the others only keep interrupts out of self times.
pub const PATH: [&str; 11] = [
    "nic_irq",
    "softirq",
    "nic_poll",
    "bridge",
    "netback",
    "copy",
    "grant_copy",
    "notify",
    "deliver",
    "recvmsg",
    "copy_user",
];

pub const ALL: [&str; 14] = [
    "nic_irq",
    "softirq",
    "nic_poll",
    "bridge",
    "netback",
    "copy",
    "grant_copy",
    "notify",
    "deliver",
    "recvmsg",
    "copy_user",
    "any_irq",
    "timer_irq",
    "any_softirq",
];

pub fn label(stage: &str) -> &str {
    NAMES
        .iter()
        .find(|(name, _)| *name == stage)
        .map_or(stage, |(_, label)| label)
}
