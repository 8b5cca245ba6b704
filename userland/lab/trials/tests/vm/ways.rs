// SPDX-License-Identifier: GPL-2.0

//! Other ways of capturing than recvfrom(): xcap counts what they capture, they count what they drop.

use crate::labs::{On, World};
use crate::world::{capture_by, control, fresh_all, report, stage, PATIENCE};
use anyhow::{ensure, Context, Result};
use libtest_mimic::Trial;
use xcap_frames::{Captured, Way, READY};
use xcap_machines::{Guest, Lab, Place};

const WAYS: [Way; 7] = [
    Way::Recvfrom,
    Way::Recvmmsg,
    Way::TpacketV2,
    Way::TpacketV3,
    Way::Fanout,
    Way::AfXdp,
    Way::Libpcap,
];

/// Frames that are captured, each before the next.
const SLOW: u32 = 23;
const GAP_US: u32 = 5000;

/// Frames for which there is no room, and where they have none.
const FAST: u32 = 997;
const BUFFER: &str = "65536";

pub fn trials(world: &'static World) -> Vec<Trial> {
    vec![
        world.trial(
            "each_way_of_capturing_counts_slow_frames",
            On::Bare,
            |lab| {
                built().try_for_each(|way| {
                    slow(lab, way).with_context(|| format!("--way {}", way.word()))
                })
            },
        ),
        world.trial("xdp_sockets_count_slow_frames_in_pv", On::Xen, |lab| {
            slow(lab, Way::AfXdp)
        }),
        world.trial("each_way_of_capturing_counts_its_drops", On::Bare, |lab| {
            fresh_all(lab, "auto")?;
            built()
                .try_for_each(|way| fast(lab, way).with_context(|| format!("--way {}", way.word())))
        }),
    ]
}

fn built() -> impl Iterator<Item = Way> {
    WAYS.into_iter().filter(|way| way.is_built())
}

/// The function that puts its frames in the socket.
fn delivers(way: Way) -> &'static str {
    match way {
        Way::TpacketV2 | Way::TpacketV3 | Way::Libpcap => "tpacket_rcv",
        // e1000e's driver knows no XDP, and xen-netfront's isn't used.
        Way::AfXdp | Way::AfXdpZerocopy => "xsk_generic_rcv",
        Way::Recvfrom | Way::Recvmmsg | Way::Fanout => "packet_rcv",
    }
}

fn delivered(guest: &Guest, way: Way, frames: u64) -> Result<()> {
    let report = report(guest)?;
    let deliver = stage(&report, "deliver")?;
    let function = deliver.function.as_deref();
    ensure!(
        function == Some(delivers(way)) && deliver.count == frames,
        "{function:?} was called {} times, not {} {frames} times",
        deliver.count,
        delivers(way)
    );
    Ok(())
}

fn slow(lab: &Lab, way: Way) -> Result<()> {
    fresh_all(lab, "auto")?;
    capture_by(lab, &["--way", way.word()], SLOW, GAP_US, |_, _| Ok(()))?;
    let guest = lab.guest(lab.capturing_place());
    delivered(guest, way, SLOW.into())?;
    let polled = stage(&report(guest)?, "nic_poll")?.work;
    ensure!(
        polled == u64::from(SLOW),
        "nic_poll's work is {polled} of {SLOW} frames"
    );
    Ok(())
}

fn fast(lab: &Lab, way: Way) -> Result<()> {
    let guest = lab.guest(Place::Bare);
    let (word, frames) = (way.word(), FAST.to_string());
    let mut capturer = guest.spawn(&[
        "xcap-recv",
        "-i",
        "eth0",
        "--json",
        "--way",
        word,
        "--buffer",
        BUFFER,
        "--silence",
        "300",
        "--timeout",
        "60000",
    ])?;
    capturer.wait_for_line(READY, PATIENCE)?;
    control(guest, "reset")?;
    capturer.signal(nix::libc::SIGSTOP)?;
    let send = [
        "xcap-send",
        "-i",
        "eth0",
        "-d",
        lab.destination(),
        "--count",
        &frames,
    ];
    lab.guest(Place::Sender).run(&send)?.ok("xcap-send")?;
    // The last may still be on its way.
    guest.sh("/lab/settle")?;
    capturer.signal(nix::libc::SIGCONT)?;
    let captured = capturer.wait(PATIENCE)?.ok("xcap-recv")?;
    let captured: Captured = serde_json::from_str(&captured)?;
    ensure!(
        captured.tp_drops > 0 && captured.captured > 0 && captured.unread == 0,
        "some are captured, some dropped, none is left: {captured:?}"
    );
    ensure!(
        captured.captured + captured.tp_drops == captured.tp_packets,
        "captured and dropped are not all: {captured:?}"
    );
    delivered(guest, way, captured.tp_packets)
}
