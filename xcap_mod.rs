// SPDX-License-Identifier: GPL-2.0

//! xcap: what each stage of packet capture costs, in TSC cycles.

use kernel::prelude::*;

/// What userland compiles too.
#[expect(unreachable_pub, dead_code, reason = "a crate of its own for userland")]
mod abi {
    #[path = "src/backend.rs"]
    pub(crate) mod backend;

    #[path = "src/btf.rs"]
    pub(crate) mod btf;

    #[path = "src/decimal.rs"]
    pub(crate) mod decimal;

    #[path = "src/figures.rs"]
    pub(crate) mod figures;

    #[path = "src/format.rs"]
    pub(crate) mod format;

    #[path = "src/histogram.rs"]
    pub(crate) mod histogram;

    #[path = "src/mark.rs"]
    pub(crate) mod mark;

    #[path = "src/paths.rs"]
    pub(crate) mod paths;

    #[path = "src/reason.rs"]
    pub(crate) mod reason;

    #[path = "src/record.rs"]
    pub(crate) mod record;

    #[path = "src/role.rs"]
    pub(crate) mod role;

    #[path = "src/rules.rs"]
    pub(crate) mod rules;

    #[path = "src/stage.rs"]
    pub(crate) mod stage;

    #[path = "src/stages.rs"]
    pub(crate) mod stages;

    #[path = "src/state.rs"]
    pub(crate) mod state;

    #[path = "src/transmit.rs"]
    pub(crate) mod transmit;

    #[path = "src/vocabulary.rs"]
    mod vocabulary;

    #[path = "src/word.rs"]
    pub(crate) mod word;
}

#[path = "kmod/mod.rs"]
mod kmod;

module! {
    type: Xcap,
    name: "xcap",
    authors: ["The xcap contributors"],
    description: "Cycles spent in each stage of packet capture",
    license: "GPL",
}

/// The loaded module. On unload its parts go in this order: what was started last goes first.
struct Xcap {
    _device: kmod::device::Device,
    _files: kmod::debugfs::Files,
    _drivers: kmod::drivers::Watch,
    _attendant: kmod::attendant::Attendant,
    _probes: kmod::armed::Armed,
    _switches: kmod::switches::Watch,
    _place: Option<kmod::shadow_place::ShadowPlace>,
}

impl kernel::Module for Xcap {
    fn init(module: &'static ThisModule) -> Result<Self> {
        let place = kmod::shadow_place::ShadowPlace::keep()?;
        let switches = kmod::switches::Watch::start()?;
        kmod::this_module::init(module);
        let probes = kmod::armed::Armed::start()?;
        let attendant = kmod::attendant::Attendant;
        let drivers = kmod::drivers::Watch::start()?;
        // Drivers that came before they were watched for.
        kmod::commands::advance(true)?;
        let files = kmod::debugfs::Files::create(module)?;
        let device = kmod::device::Device::create(module)?;
        Ok(Self {
            _device: device,
            _files: files,
            _drivers: drivers,
            _attendant: attendant,
            _probes: probes,
            _switches: switches,
            _place: place,
        })
    }
}
