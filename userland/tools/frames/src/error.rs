// SPDX-License-Identifier: GPL-2.0

//! What can be wrong with an interface or a socket; each message says what to do next.

use nix::errno::Errno;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("no interface '{name}', there are: {known}")]
    NoInterface { name: String, known: String },
    #[error("interface '{0}' is down: ip link set {0} up")]
    Down(String),
    #[error("interface '{0}' has no carrier: is the cable plugged and the other end up?")]
    NoCarrier(String),
    #[error("interface '{0}' has no Ethernet address")]
    NotEthernet(String),
    #[error(
        "no permission to open a packet socket: only root may (CAP_NET_RAW), run it with sudo"
    )]
    NoPermission,
    #[error("no memory for a ring of {bytes} bytes: give a smaller --buffer")]
    NoMemoryForRing { bytes: u64 },
    #[error("{doing} the XDP program of interface '{interface}': {why}")]
    Xdp {
        doing: String,
        interface: String,
        why: String,
    },
    #[error("the driver of '{interface}' copies no frame less: {why}; --way af-xdp copies")]
    NoZeroCopy { interface: String, why: String },
    #[error("libpcap: {0}")]
    Libpcap(String),
    #[error(
        "no libpcap in this xcap-recv: install libpcap-dev, then make tools FEATURES=libpcap; \
         or capture with tcpdump, whose frames xcap counts as well"
    )]
    NoLibpcap,
    #[error("{doing}: {source}")]
    System { doing: String, source: Errno },
}

impl Error {
    /// Maps what the kernel said while `doing` something.
    pub fn while_doing(doing: impl Into<String>) -> impl FnOnce(Errno) -> Self {
        let doing = doing.into();
        move |source| match source {
            Errno::EPERM => Self::NoPermission,
            source => Self::System { doing, source },
        }
    }
}
