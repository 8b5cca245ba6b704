// SPDX-License-Identifier: GPL-2.0

//! Who built the packages: a key for modules, and one for the repository, made once and kept outside of the tree.

use crate::provide::root::{Root, Sandbox};
use crate::run;
use anyhow::{anyhow, bail, Context, Result};
use nix::fcntl::{Flock, FlockArg};
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Where the sandbox has them.
const INSIDE: &str = "/keys";

const MODULES: &str = "modules.pem";
const CERTIFICATE: &str = "modules.der";
const GNUPG: &str = "gnupg";
const PUBLIC: &str = "repository.gpg";

pub struct Keys {
    folder: PathBuf,
}

/// `${XDG_DATA_HOME:-~/.local/share}/xcap`.
pub fn usual_folder() -> Result<PathBuf> {
    let named = |name| std::env::var_os(name).filter(|dir| !dir.is_empty());
    match (named("XDG_DATA_HOME"), named("HOME")) {
        (Some(data), _) => Ok(PathBuf::from(data).join("xcap")),
        (None, Some(home)) => Ok(PathBuf::from(home).join(".local/share/xcap")),
        (None, None) => {
            bail!("neither XDG_DATA_HOME nor HOME is set: say with --keys where the keys are to be")
        }
    }
}

impl Keys {
    /// The keys in `folder`; those that aren't there yet are made.
    pub fn ensure(root: &Root, folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot make '{}'", folder.display()))?;
        fs::set_permissions(folder, Permissions::from_mode(0o700))?;
        let keys = Self {
            folder: fs::canonicalize(folder)?,
        };
        let _alone = keys.alone()?;
        keys.make_modules(root)?;
        keys.make_repository(root)?;
        Ok(keys)
    }

    /// Waits until nobody else makes or uses keys: two of GnuPG's agents can't have one home.
    pub fn alone(&self) -> Result<Flock<File>> {
        let path = self.folder.join("lock");
        let file =
            File::create(&path).with_context(|| format!("cannot make '{}'", path.display()))?;
        let locked = Flock::lock(file, FlockArg::LockExclusive);
        locked.map_err(|(_, errno)| anyhow!("cannot lock '{}': {errno}", path.display()))
    }

    /// Adds the keys to what a sandbox sees.
    pub fn in_sandbox(&self, sandbox: Sandbox) -> Sandbox {
        let home = format!("{INSIDE}/{GNUPG}");
        sandbox
            .bind_at(&self.folder, Path::new(INSIDE))
            .env("GNUPGHOME", &home)
    }

    /// The certificate that machines with Secure Boot have to be told to trust.
    pub fn certificate(&self) -> PathBuf {
        self.folder.join(CERTIFICATE)
    }

    /// The key that apt has to be told to trust.
    pub fn public(&self) -> PathBuf {
        self.folder.join(PUBLIC)
    }

    /// The arguments of the kernel's `sign-file`, in a sandbox that has the keys.
    pub fn of_modules(&self) -> [String; 2] {
        [MODULES, CERTIFICATE].map(|name| format!("{INSIDE}/{name}"))
    }

    fn make_modules(&self, root: &Root) -> Result<()> {
        if self.certificate().exists() {
            return Ok(());
        }
        let mut openssl = self.in_sandbox(root.sandbox()).command("openssl");
        openssl.args(["req", "-new", "-x509", "-newkey", "rsa:4096", "-nodes"]);
        openssl.args(["-days", "36500", "-subj", "/CN=Builder of xcap's modules/"]);
        // For modules alone: the boot loader's shim takes no kernel of such a key.
        openssl.args([
            "-addext",
            "extendedKeyUsage=codeSigning,1.3.6.1.4.1.2312.16.1.2",
        ]);
        let [key, certificate] = self.of_modules();
        openssl.args(["-keyout", &key, "-outform", "DER", "-out", &certificate]);
        run::output(&mut openssl).context("cannot make the key for modules")?;
        eprintln!("made the key for modules, in '{}'", self.folder.display());
        Ok(())
    }

    fn make_repository(&self, root: &Root) -> Result<()> {
        if self.public().exists() {
            return Ok(());
        }
        let home = self.folder.join(GNUPG);
        fs::create_dir_all(&home)?;
        fs::set_permissions(&home, Permissions::from_mode(0o700))?;
        let gpg = || {
            let mut gpg = self.in_sandbox(root.sandbox()).command("gpg");
            gpg.args(["--batch", "--quiet"]);
            gpg
        };
        let mut generate = gpg();
        generate.args(["--passphrase", "", "--quick-generate-key"]);
        generate.args(["Builder of xcap's packages", "ed25519", "sign", "never"]);
        run::output(&mut generate).context("cannot make the key for the repository")?;
        let public = format!("{INSIDE}/{PUBLIC}");
        run::output(gpg().args(["--output", &public, "--export"]))?;
        eprintln!(
            "made the key for the repository, in '{}'",
            self.folder.display()
        );
        Ok(())
    }
}
