// SPDX-License-Identifier: GPL-2.0

//! Colours, light and dark: the drawn colour is the light one, and a class lets a style
//! sheet put the dark one in its place.

use plotters::style::RGBColor;
use xcap_abi::stage::Stage;

use xcap_study::run_id::Domain;
use xcap_study::scenario::Scenario;

pub const INK: RGBColor = RGBColor(0x1b, 0x1b, 0x19);
pub const MUTED: RGBColor = RGBColor(0x6b, 0x6a, 0x64);
pub const GRID: RGBColor = RGBColor(0xe4, 0xe3, 0xdd);
pub const SURFACE: RGBColor = RGBColor(0xfe, 0xfe, 0xfd);

// Hue tells the size, strength the wait.
const SMALL_NOW: RGBColor = RGBColor(0x1f, 0x5f, 0xbf);
const LARGE_NOW: RGBColor = RGBColor(0xc2, 0x57, 0x1a);
const SMALL_WAIT: RGBColor = RGBColor(0x8f, 0xba, 0xf2);
const LARGE_WAIT: RGBColor = RGBColor(0xf2, 0xb5, 0x8c);

const BLUE: RGBColor = RGBColor(0x2a, 0x78, 0xd6);
const AQUA: RGBColor = RGBColor(0x1b, 0xaf, 0x7a);
const YELLOW: RGBColor = RGBColor(0xed, 0xa1, 0x00);
const GREEN: RGBColor = RGBColor(0x00, 0x83, 0x00);
const VIOLET: RGBColor = RGBColor(0x4a, 0x3a, 0xa7);
const RED: RGBColor = RGBColor(0xe3, 0x49, 0x48);
const MAGENTA: RGBColor = RGBColor(0xe8, 0x7b, 0xa4);
pub const ORANGE: RGBColor = RGBColor(0xeb, 0x68, 0x34);
pub const GREY: RGBColor = RGBColor(0xb3, 0xb1, 0xa8);

/// Class, light and dark colour.
const COLOURS: [(&str, RGBColor, &str); 17] = [
    ("ink", INK, "#f2f1ec"),
    ("muted", MUTED, "#a5a39a"),
    ("grid", GRID, "#33332f"),
    ("surface", SURFACE, "#171715"),
    ("w0s0064", SMALL_NOW, "#5b9bf0"),
    ("w0s1500", LARGE_NOW, "#f0924d"),
    ("w1s0064", SMALL_WAIT, "#35649c"),
    ("w1s1500", LARGE_WAIT, "#97562c"),
    ("blue", BLUE, "#3987e5"),
    ("aqua", AQUA, "#199e70"),
    ("yellow", YELLOW, "#c98500"),
    ("green", GREEN, "#2f9a2f"),
    ("violet", VIOLET, "#9085e9"),
    ("red", RED, "#e66767"),
    ("magenta", MAGENTA, "#d55181"),
    ("orange", ORANGE, "#d95926"),
    ("grey", GREY, "#77756d"),
];

pub fn of_scenario(scenario: Scenario) -> RGBColor {
    match (scenario.wait_us, scenario.size) {
        (0, ..=500) => SMALL_NOW,
        (0, _) => LARGE_NOW,
        (_, ..=500) => SMALL_WAIT,
        _ => LARGE_WAIT,
    }
}

pub fn of_domain(domain: Domain) -> RGBColor {
    match domain {
        Domain::Bare => AQUA,
        Domain::Dom0 => BLUE,
        Domain::DomU => VIOLET,
    }
}

pub fn of_stage(stage: Stage) -> RGBColor {
    match stage {
        Stage::NicIrq => RED,
        Stage::Softirq => YELLOW,
        Stage::NicPoll => BLUE,
        Stage::Bridge => AQUA,
        Stage::Netback | Stage::Deliver => VIOLET,
        Stage::Copy => ORANGE,
        Stage::CopyFlush | Stage::GrantCopy => MAGENTA,
        Stage::Recvmsg => ORANGE,
        Stage::Notify | Stage::CopyUser => GREEN,
        Stage::AnyIrq | Stage::TimerIrq | Stage::AnySoftirq => GREY,
        // In no figure of a capture.
        Stage::TxSend => ORANGE,
        Stage::TxQueue => YELLOW,
        Stage::TxNetfront => VIOLET,
        Stage::TxNetback => RED,
        Stage::TxRelease => GREY,
        Stage::TxCard => BLUE,
    }
}

/// Where frames ended.
pub fn of_hop(hop: &str) -> RGBColor {
    match hop {
        "captured" => AQUA,
        "wire" => VIOLET,
        "nic" => RED,
        "vif" => ORANGE,
        "netfront" => MAGENTA,
        "socket" => YELLOW,
        _ => GREY,
    }
}

pub const MEANS: RGBColor = SMALL_WAIT;
pub const SUMS: RGBColor = SMALL_NOW;
pub const MEASURED: RGBColor = LARGE_NOW;

/// `#RRGGBB` of each colour, as plotters writes it, and its class.
pub fn classes() -> impl Iterator<Item = (String, &'static str)> {
    COLOURS
        .iter()
        .map(|(class, light, _)| (hexadecimal(light), *class))
}

/// A style sheet for a figure on its own or for the page.
pub fn style() -> String {
    let of = |colours: Vec<String>| colours.join("");
    let light = COLOURS
        .iter()
        .map(|(class, light, _)| format!("--{class}:{};", hexadecimal(light)));
    let dark = COLOURS
        .iter()
        .map(|(class, _, dark)| format!("--{class}:{dark};"));
    let rules = COLOURS.iter().map(|(class, ..)| {
        format!(".f-{class}{{fill:var(--{class})}}.s-{class}{{stroke:var(--{class})}}\n")
    });
    format!(
        ":root{{{}}}\n@media screen and (prefers-color-scheme:dark){{:root{{{}}}}}\n{}",
        of(light.collect()),
        of(dark.collect()),
        of(rules.collect())
    )
}

fn hexadecimal(RGBColor(red, green, blue): &RGBColor) -> String {
    format!("#{red:02X}{green:02X}{blue:02X}")
}
