// SPDX-License-Identifier: GPL-2.0

//! The kernels, each made when the first workload needs it; one that can't be had is not tried for again.

use crate::host::plan::Variant;
use anyhow::{anyhow, Result};
use std::sync::OnceLock;
use xcap_machines::cache::Cache;
use xcap_machines::materials;
use xcap_machines::provide::flavour::{self, Flavour};
use xcap_machines::provide::kernel::Kernel;
use xcap_machines::Materials;

const VARIANTS: usize = Variant::Debug as usize + 1;

type Once<T> = OnceLock<Result<T, String>>;

pub struct Kernels {
    cache: Cache,
    kernels: [Once<Kernel>; VARIANTS],
    materials: [Once<Materials>; VARIANTS],
}

impl Kernels {
    pub fn new(cache: Cache) -> Self {
        Self {
            cache,
            kernels: Default::default(),
            materials: Default::default(),
        }
    }

    pub fn kernel(&self, variant: Variant) -> Result<&Kernel> {
        once(&self.kernels[variant as usize], || self.provide(variant))
    }

    /// With xcap, built for that kernel.
    pub fn materials(&self, variant: Variant) -> Result<&Materials> {
        once(&self.materials[variant as usize], || {
            Materials::with_kernel(self.cache.clone(), self.kernel(variant)?.clone())
        })
    }

    /// Whether it takes no more than a download.
    pub fn is_built(&self, variant: Variant) -> Result<bool> {
        flavour_of(variant).map_or(Ok(true), |flavour| {
            flavour::is_built(&self.cache, self.kernel(Variant::Stock)?, flavour)
        })
    }

    fn provide(&self, variant: Variant) -> Result<Kernel> {
        let cache = &self.cache;
        let stock = || self.kernel(Variant::Stock);
        let of_debian = |name: &str| {
            let release = &stock()?.release;
            let release = release.replace("-amd64", &format!("-{name}-amd64"));
            Kernel::ensure(cache, Some(&release))
        };
        if let Some(flavour) = flavour_of(variant) {
            return flavour::ensure(cache, stock()?, flavour);
        }
        match variant {
            Variant::Rt => of_debian("rt"),
            Variant::Cloud => of_debian("cloud"),
            _ => materials::kernel(cache),
        }
    }
}

/// What is built from source.
fn flavour_of(variant: Variant) -> Option<Flavour> {
    match variant {
        Variant::Debug => Some(Flavour::Debug),
        Variant::Cfi => Some(Flavour::Cfi),
        Variant::Stock | Variant::Rt | Variant::Cloud => None,
    }
}

fn once<T>(place: &Once<T>, make: impl FnOnce() -> Result<T>) -> Result<&T> {
    let made = place.get_or_init(|| make().map_err(|e| format!("{e:#}")));
    made.as_ref().map_err(|said| anyhow!("{said}"))
}
