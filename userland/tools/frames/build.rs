// SPDX-License-Identifier: GPL-2.0

//! Links libpcap, where it was asked for (feature `libpcap`).

use std::env;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if env::var_os("CARGO_FEATURE_LIBPCAP").is_none() {
        return;
    }
    let features = env::var("CARGO_CFG_TARGET_FEATURE").unwrap_or_default();
    if !features.split(',').any(|feature| feature == "crt-static") {
        println!("cargo:rustc-link-arg=-lpcap");
        return;
    }
    let asked = Command::new("pcap-config")
        .args(["--static", "--libs"])
        .output();
    let Ok(answer) = asked else {
        panic!("no pcap-config here: install libpcap-dev, or build without --features libpcap");
    };
    let answer = String::from_utf8_lossy(&answer.stdout).into_owned();
    // The compiler has turned to shared ones for its own.
    println!("cargo:rustc-link-arg=-Wl,-Bstatic");
    for library in answer.split_whitespace() {
        match library {
            // There is no static one. libdbus, which Debian's libpcap can capture from, asks it for a
            // server's sockets, and nothing here is a server.
            "-lsystemd" => {
                for function in ["sd_is_socket", "sd_listen_fds"] {
                    println!("cargo:rustc-link-arg=-Wl,--defsym={function}=0");
                }
            }
            library => println!("cargo:rustc-link-arg={library}"),
        }
    }
}
