// SPDX-License-Identifier: GPL-2.0

//! Machines with Secure Boot whose owner trusts the key that xcap's modules are signed with, and no other.

use crate::cache::{digest, Cache};
use crate::config::firmware::Firmware;
use crate::package::keys::Keys;
use crate::progress::step;
use crate::provide::kernel::Kernel;
use crate::provide::root::{package_list, Recipe, Root};
use crate::run;
use anyhow::{Context, Result};
use std::fs;

const PACKAGES: &str = include_str!("../../packages/firmware");
const SUITE: &str = "trixie";

/// Where the package ovmf has them.
const CODE: &str = "usr/share/OVMF/OVMF_CODE_4M.secboot.fd";
const VARIABLES: &str = "/usr/share/OVMF/OVMF_VARS_4M.fd";

/// Whose keys they are, of anybody.
const OWNER: &str = "a0baa8a3-041d-48a8-bc87-c36d121b5e3d";

/// The kernel, signed, and a firmware that takes it.
pub fn ensure(cache: &Cache, kernel: &Kernel, keys: &Keys) -> Result<Firmware> {
    let recipe = Recipe {
        suites: &[SUITE.to_owned()],
        packages: &package_list(PACKAGES),
    };
    let root = Root::ensure(cache, "firmware", &recipe)?;
    let certificate = fs::read(keys.certificate())?;
    let parts = [
        root.path().to_string_lossy().into_owned().into_bytes(),
        kernel.identity().into_bytes(),
        certificate,
    ];
    let key = format!("{}-{}", kernel.release, digest(parts));
    let folder = cache.entry("firmware", &key, |out| {
        let making = step(format!("signing kernel {} for Secure Boot", kernel.release));
        let image = kernel.image()?;
        let sandbox = || keys.in_sandbox(root.sandbox().bind(out).bind_ro(&image));
        let inside = |name: &str| out.join(name).display().to_string();
        let [private, certificate] = keys.of_modules();
        let text = inside("certificate.pem");
        let mut convert = sandbox().command("openssl");
        convert.args(["x509", "-inform", "DER", "-in", &certificate, "-out", &text]);
        run::output(&mut convert).context("cannot read the certificate")?;
        let mut enrol = sandbox().command("virt-fw-vars");
        enrol.args(["--input", VARIABLES, "--output", &inside("variables")]);
        for list in ["--set-pk", "--add-kek", "--add-db"] {
            enrol.args([list, OWNER, &text]);
        }
        run::output(enrol.arg("--secure-boot")).context("cannot enrol the key")?;
        let mut sign = sandbox().command("sbsign");
        sign.args(["--key", &private, "--cert", &text, "--output"]);
        sign.arg(out.join("kernel")).arg(&image);
        run::output(&mut sign).context("cannot sign the kernel")?;
        fs::copy(root.path().join(CODE), out.join("code")).context("no firmware")?;
        making.done();
        Ok(())
    })?;
    Ok(Firmware {
        code: folder.join("code"),
        variables: folder.join("variables"),
        kernel: folder.join("kernel"),
    })
}
