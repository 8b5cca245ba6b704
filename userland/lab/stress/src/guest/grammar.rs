// SPDX-License-Identifier: GPL-2.0

//! Commands for `control`: well formed, nearly so, and any bytes.

use fastrand::Rng;
use xcap_abi::stage::Stage;

const BACKENDS: [&str; 4] = ["auto", "direct", "fprobe", "kretprobe"];

/// Functions of all kinds; what a command itself runs through is among them.
const FUNCTIONS: [&str; 40] = [
    // Of a module that comes and goes.
    "xcap_target_0",
    "xcap_target_10",
    "xcap_target_100",
    "xcap_target_nest",
    "xcap_target_recurse",
    "xcap_target_sleep",
    "xcap_target_disturbed",
    // Often called.
    "__x64_sys_umask",
    "ksys_read",
    "ksys_write",
    "vfs_read",
    "vfs_write",
    "kfree",
    "ktime_get",
    "net_rx_action",
    "packet_rcv",
    "handle_mm_fault",
    "try_to_wake_up",
    // What commands and readings run through.
    "full_proxy_write",
    "seq_read",
    "register_ftrace_function",
    "ftrace_set_filter_ip",
    "ftrace_set_filter_ips",
    "register_fprobe_ips",
    "register_kretprobe",
    "msleep_interruptible",
    "synchronize_rcu",
    "mutex_lock",
    "smp_call_function_single",
    "text_poke_queue",
    "module_put",
    "kallsyms_lookup_name",
    // May not return, may not be hooked, are not there.
    "do_exit",
    "__x64_sys_exit_group",
    "do_syscall_64",
    "asm_exc_int3",
    "rcu_nmi_enter",
    "xcap_known",
    "xcap_empty",
    "nothing_of_this_name",
];

const PATTERNS: [&str; 12] = [
    "xcap_target_*",
    "xcap_*",
    "vfs_*",
    "e1000_*",
    "tcp_v4_*",
    "__x64_sys_?et*",
    "[a-c]dev_*",
    "udp_[!s]*",
    "*",
    "?",
    "[",
    "nothing_*",
];

/// Names that probes get, few so that they clash.
const NAMES: [&str; 6] = [
    "a",
    "b",
    "c",
    Stage::Softirq.word(),
    Stage::NicIrq.word(),
    "x-y.z",
];

const INTERFACES: [&str; 3] = ["lo", "eth0", "nothing0"];

/// What there is in the machine.
#[derive(Default)]
pub struct Known {
    /// Names of probes.
    pub probes: Vec<String>,
    /// The network namespace's number.
    pub namespace: u64,
}

/// A command. Few are well formed: those take long.
pub fn command(rng: &mut Rng, known: &Known) -> Vec<u8> {
    match rng.u32(..100) {
        0..8 => well_formed(rng, known).into_bytes(),
        8..30 => damaged(rng, known),
        30..40 => shuffled(rng).into_bytes(),
        _ => bytes(rng),
    }
}

fn pick<'a>(rng: &mut Rng, words: &[&'a str]) -> &'a str {
    words[rng.usize(..words.len())]
}

fn name(rng: &mut Rng, known: &Known) -> String {
    if known.probes.is_empty() || rng.u32(..4) == 0 {
        pick(rng, &NAMES).to_owned()
    } else {
        known.probes[rng.usize(..known.probes.len())].clone()
    }
}

/// What takes a second, as calibrating does, comes more seldom than what takes none.
fn well_formed(rng: &mut Rng, known: &Known) -> String {
    match rng.u32(..1000) {
        0..20 => "start".to_owned(),
        20..40 => "stop".to_owned(),
        40..370 => "reset".to_owned(),
        370..373 => "calibrate".to_owned(),
        373..385 => format!("backend={}", pick(rng, &BACKENDS)),
        385..405 => marks(rng),
        405..425 => only(rng, known),
        425..431 => format!("transmit {}", pick(rng, &["on", "off"])),
        431..640 => add(rng),
        640..650 => add_pattern(rng),
        _ => format!("del {}", name(rng, known)),
    }
}

fn marks(rng: &mut Rng) -> String {
    let mut command = format!("marks {}", pick(rng, &["on", "off"]));
    if rng.u32(..4) == 0 {
        command += &format!(" {}", 1u32 << rng.u32(..20));
    }
    if rng.u32(..4) == 0 {
        command += &format!(" 1/{}", rng.u32(..9));
    }
    command
}

/// Whose calls count: some there are, some there aren't, some can't be.
fn only(rng: &mut Rng, known: &Known) -> String {
    let subject = match rng.u32(..5) {
        0 => format!("interface {}", pick(rng, &INTERFACES)),
        1 => format!("netns {}", known.namespace + u64::from(rng.bool())),
        2 => format!("pid {}", rng.i32(-1..200)),
        _ => "all".to_owned(),
    };
    let mut command = format!("only {subject}");
    // None: of all that can tell.
    for _ in 0..rng.u32(..3) {
        command += &format!(" {}", name(rng, known));
    }
    command
}

fn add(rng: &mut Rng) -> String {
    let mut command = format!("add {}", pick(rng, &FUNCTIONS));
    if rng.bool() {
        command += &format!(" as {}", pick(rng, &NAMES));
    }
    command + &backend(rng)
}

fn add_pattern(rng: &mut Rng) -> String {
    let mut command = format!("add {}", pick(rng, &PATTERNS));
    if rng.bool() {
        command += &format!(" limit={}", rng.u32(..40));
    }
    command + &backend(rng)
}

fn backend(rng: &mut Rng) -> String {
    if rng.bool() {
        format!(" backend={}", pick(rng, &BACKENDS))
    } else {
        String::new()
    }
}

/// A well formed one with bytes changed, lost, doubled.
fn damaged(rng: &mut Rng, known: &Known) -> Vec<u8> {
    let mut command = well_formed(rng, known).into_bytes();
    for _ in 0..rng.usize(1..4) {
        let at = rng.usize(..=command.len());
        match rng.u32(..4) {
            0 => command.insert(at, rng.u8(..)),
            1 if at < command.len() => drop(command.remove(at)),
            2 if at < command.len() => command[at] = rng.u8(..),
            _ => {
                let tail = command[at..].to_vec();
                command.extend(tail);
            }
        }
    }
    command
}

/// The grammar's words in any order.
fn shuffled(rng: &mut Rng) -> String {
    const WORDS: [&str; 28] = [
        "marks",
        "on",
        "off",
        "1/2",
        "only",
        "all",
        "pid",
        "interface",
        "netns",
        "1",
        "start",
        "stop",
        "reset",
        "calibrate",
        "backend=",
        "backend=auto",
        "backend=fprobe",
        "add",
        "del",
        "as",
        "limit=",
        "limit=0",
        "limit=18446744073709551616",
        "limit=-1",
        "limit=+3",
        "*",
        "xcap_target_0",
        "a",
    ];
    let spaces = [" ", "\t", "\n", "  ", "\r", "\x0b"];
    let mut command = String::new();
    for _ in 0..rng.usize(..7) {
        command += pick(rng, &WORDS);
        command += pick(rng, &spaces);
    }
    command
}

fn bytes(rng: &mut Rng) -> Vec<u8> {
    // Longer than what is taken, now and then.
    let most = if rng.u32(..20) == 0 { 5000 } else { 40 };
    let length = rng.usize(..most);
    std::iter::repeat_with(|| rng.u8(..)).take(length).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_commands_always() {
        let commands = |seed| {
            let mut rng = Rng::with_seed(seed);
            let known = Known {
                probes: vec!["one".to_owned()],
                ..Known::default()
            };
            (0..1000)
                .map(|_| command(&mut rng, &known))
                .collect::<Vec<_>>()
        };
        assert_eq!(commands(7), commands(7));
        assert_ne!(commands(7), commands(8));
    }

    #[test]
    fn every_verb_and_backend_comes() {
        let mut rng = Rng::with_seed(1);
        let all: Vec<String> = (0..20_000)
            .map(|_| well_formed(&mut rng, &Known::default()))
            .collect();
        let verbs = [
            "start",
            "stop",
            "reset",
            "calibrate",
            "marks on",
            "marks off",
            "only interface lo",
            "only netns ",
            "only pid ",
            "only all",
            "transmit on",
            "transmit off",
            "del ",
            "add *",
            "add xcap_target_0",
        ];
        let backends = BACKENDS.map(|backend| format!("backend={backend}"));
        for word in verbs.into_iter().chain(backends.iter().map(String::as_str)) {
            assert!(
                all.iter().any(|command| command.starts_with(word)),
                "{word}"
            );
        }
    }
}
