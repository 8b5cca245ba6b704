// SPDX-License-Identifier: GPL-2.0

//! `make` on a kernel that a module can't be built for says why, and what to do.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

const RUSTC: &str = "rustc 1.85.1 (4eb161250 2025-03-15) (built from a source tarball)";

/// Kernel headers as far as `make` looks at them, and a compiler that says what it is told.
struct Headers {
    dir: TempDir,
}

impl Headers {
    /// Nothing is wrong with these.
    fn good() -> Self {
        let headers = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        headers.write("Makefile", "modules:\n\t@echo built in $(M)\n");
        headers.write("include/config/kernel.release", "7.3.4-test\n");
        headers.configure(&["CONFIG_X86_64=y", "CONFIG_RUST=y"]);
        headers.write("rust/libkernel.rmeta", "");
        headers.write("rust/libcore.rmeta", "");
        headers.write("bin/rustc", &format!("#!/bin/sh\necho '{RUSTC}'\n"));
        headers.write("bin/bindgen", "#!/bin/sh\n");
        headers
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn configure(&self, options: &[&str]) {
        let version = format!("CONFIG_RUSTC_VERSION_TEXT=\"{RUSTC}\"");
        self.write(".config", &format!("{}\n{version}\n", options.join("\n")));
    }

    fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).unwrap();
    }

    /// What `make` says on stderr, as lines of its own; `Ok` with its output if it builds.
    fn make(&self, arguments: &[&str]) -> Result<String, Vec<String>> {
        let tree = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
        let path = format!("{}:/usr/bin:/bin", self.path("bin").display());
        let output = Command::new("make")
            .args(["--no-print-directory", "-C"])
            .arg(tree)
            .arg(format!("KDIR={}", self.dir.path().display()))
            .args(arguments)
            .env("PATH", path)
            .env_remove("RUSTC")
            .env_remove("MAKEFLAGS")
            .output()
            .unwrap();
        if output.status.success() {
            return Ok(String::from_utf8(output.stdout).unwrap());
        }
        let said = String::from_utf8(output.stderr).unwrap();
        Err(said
            .lines()
            .filter_map(|line| line.strip_prefix("xcap: "))
            .map(str::to_owned)
            .collect())
    }
}

/// One or two lines, with what is wrong in the first and all of `words` somewhere.
fn says(headers: &Headers, arguments: &[&str], words: &[&str]) {
    let lines = headers.make(arguments).expect_err("it has to fail");
    assert!((1..=2).contains(&lines.len()), "{lines:#?}");
    let text = lines.join("\n");
    for word in words {
        assert!(text.contains(word), "no '{word}' in: {text}");
    }
}

#[test]
fn a_kernel_that_has_all_is_built_for() {
    let built = Headers::good().make(&[]).unwrap();
    assert!(built.contains("built in /"), "{built}");
}

#[test]
fn no_headers() {
    let headers = Headers::good();
    headers.remove("Makefile");
    says(
        &headers,
        &[],
        &["no kernel headers at", "install linux-headers-", "KDIR="],
    );
}

#[test]
fn no_rust_in_the_kernel() {
    let headers = Headers::good();
    headers.configure(&["CONFIG_X86_64=y", "# CONFIG_RUST is not set"]);
    says(
        &headers,
        &[],
        &["7.3.4-test", "without CONFIG_RUST", "trixie-backports"],
    );
}

#[test]
fn no_metadata() {
    let headers = Headers::good();
    headers.remove("rust/libkernel.rmeta");
    says(
        &headers,
        &[],
        &[
            "lack Rust metadata",
            "make rust-metadata KDIR=",
            "linux-lib-rust-7.3.4-test",
        ],
    );
}

#[test]
fn another_rustc() {
    let headers = Headers::good();
    headers.write(
        "bin/rustc",
        "#!/bin/sh\necho 'rustc 1.97.1 (abc 2026-01-01)'\n",
    );
    says(
        &headers,
        &[],
        &["built by rustc 1.85.1", "is rustc 1.97.1", "RUSTC="],
    );
}

#[test]
fn no_rustc() {
    let headers = Headers::good();
    says(
        &headers,
        &["RUSTC=no-such-rustc"],
        &["no no-such-rustc here", "built by rustc 1.85.1"],
    );
}

#[test]
fn no_bindgen() {
    let headers = Headers::good();
    says(
        &headers,
        &["BINDGEN=no-such-bindgen"],
        &["no no-such-bindgen here", "apt install bindgen"],
    );
}

#[test]
fn another_architecture() {
    let headers = Headers::good();
    headers.configure(&["CONFIG_ARM64=y", "CONFIG_RUST=y"]);
    says(&headers, &[], &["not an x86-64 one"]);
}

#[test]
fn a_compiler_beside_others_is_found() {
    let headers = Headers::good();
    headers.write(
        "bin/rustc",
        "#!/bin/sh\necho 'rustc 1.97.1 (abc 2026-01-01)'\n",
    );
    headers.write("bin/rustc-1.85", &format!("#!/bin/sh\necho '{RUSTC}'\n"));
    headers.write("Makefile", "modules:\n\t@echo built by $(RUSTC)\n");
    let built = headers.make(&[]).unwrap();
    assert!(built.contains("bin/rustc-1.85"), "{built}");
}

#[test]
fn all_that_metadata_lacks_is_named_at_once_and_before_anything_is_made() {
    let headers = Headers::good();
    headers.write("include/config/kernel.release", "99.1.2-test\n");
    let gcc = "CONFIG_CC_VERSION_TEXT=\"x86_64-linux-gnu-gcc-99 (Debian) 99.0\"";
    headers.configure(&["CONFIG_X86_64=y", "CONFIG_RUST=y", gcc]);
    headers.write(
        "bin/rustc",
        "#!/bin/sh\necho 'rustc 1.97.1 (abc 2026-01-01)'\n",
    );
    let lines = headers.make(&["rust-metadata"]).unwrap_err();
    assert_eq!(lines.len(), 3, "{lines:#?}");
    assert!(lines[0].contains("kernel 99.1.2-test"), "{}", lines[0]);
    let packages: Vec<_> = lines[1].split(' ').collect();
    assert_eq!(packages[..2], ["apt", "install"]);
    for package in ["gcc-99", "linux-source-99.1", "rust-src"] {
        assert!(packages.contains(&package), "{package}: {}", lines[1]);
    }
    assert!(
        lines[2].contains("RUSTC=") && lines[2].ends_with(RUSTC),
        "{}",
        lines[2]
    );
}
