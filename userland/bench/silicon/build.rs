// SPDX-License-Identifier: GPL-2.0

//! Assembles the module's hot path, once for each form of return, and tells the program how it is
//! laid out.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// Nested callers of a probed function.
const DEPTHS: [usize; 8] = [1, 2, 4, 8, 12, 16, 24, 32];

/// Multiplications in the functions of known length.
const WORK: [usize; 3] = [10, 100, 300];

/// Where the image is mapped: below 2 GiB, away from where programs lie.
const IMAGE: usize = 0x6000_0000;

/// Probes at once: the leaf, and the outermost caller.
const CELLS: usize = 2;

/// Bytes of a cell, and of its part before the histogram: what the constants in kmod/cell.h say.
const CELL_SIZE: usize = 256 + 8 * 512;

/// The unit's table for each form of return.
const RETURN_FORMS: [&str; 3] = ["silicon_plain", "silicon_thunk", "silicon_safe_ret"];

fn list(numbers: &[usize]) -> String {
    let words: Vec<String> = numbers.iter().map(usize::to_string).collect();
    words.join(",")
}

/// The definitions in kmod/cell.h as Rust constants.
fn layout(header: &str) -> String {
    let mut constants = String::new();
    for line in header.lines() {
        let mut words = line.split_whitespace();
        let (Some("#define"), Some(name), Some(value)) = (words.next(), words.next(), words.next())
        else {
            continue;
        };
        if let Ok(value) = value.parse::<usize>() {
            let _ = writeln!(constants, "pub const {name}: usize = {value};");
        }
    }
    constants
}

fn main() {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let kmod = here.join("../../../kmod");
    for path in [
        &here.join("asm"),
        &here.join("shim"),
        &kmod.join("hot_path.S"),
        &kmod.join("cell.h"),
    ] {
        println!("cargo::rerun-if-changed={}", path.display());
    }
    let header = kmod.join("cell.h");
    let header = fs::read_to_string(&header)
        .unwrap_or_else(|e| panic!("cannot read '{}': {e}", header.display()));
    let mut constants = layout(&header);
    let _ = write!(
        constants,
        "pub const DEPTHS: [usize; {}] = {DEPTHS:?};\n\
         pub const WORK: [usize; {}] = {WORK:?};\n\
         pub const CELLS: usize = {CELLS};\n\
         pub const CELL_SIZE: usize = {CELL_SIZE};\n\
         pub const IMAGE: usize = {IMAGE};\n",
        DEPTHS.len(),
        WORK.len(),
    );
    fs::write(out.join("layout.rs"), constants).expect("OUT_DIR is writable");

    let compile = |source: &str, name: &str, defines: &[(&str, &str)]| -> PathBuf {
        let mut build = cc::Build::new();
        build
            .out_dir(out.join(name))
            .include(here.join("shim"))
            .include(here.join("asm"))
            .include(&kmod)
            .file(here.join("asm").join(source))
            // Code for one address, as the kernel's; whatever the program around it is.
            .pic(false)
            .define("__ASSEMBLY__", None);
        for (name, value) in defines {
            build.define(name, *value);
        }
        build.compile_intermediates().remove(0)
    };
    let cells = [
        ("SILICON_CELLS", CELLS.to_string()),
        ("SILICON_CELL_SIZE", CELL_SIZE.to_string()),
    ];
    let cells = cells
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let mut objects = vec![compile("kernel.S", "kernel", &cells)];
    for (form, table) in RETURN_FORMS.iter().enumerate() {
        let defines = [
            ("RETURN_FORM", form.to_string()),
            ("UNIT", (*table).to_owned()),
            ("SILICON_DEPTHS", list(&DEPTHS)),
            ("SILICON_WORK", list(&WORK)),
        ];
        let defines = defines
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        objects.push(compile("unit.S", table, &defines));
    }
    link(&objects, &here.join("asm/image.ld"), &out.join("image"));
}

/// Links the image; it holds no code but its own.
fn link(objects: &[PathBuf], script: &Path, image: &Path) {
    let mut command = cc::Build::new().pic(false).get_compiler().to_command();
    command
        .args(["-nostdlib", "-static", "-no-pie", "-Wl,--build-id=none"])
        .arg("-Wl,--oformat=binary")
        .arg(format!("-Wl,--defsym=SILICON_IMAGE={IMAGE}"))
        .arg(format!("-Wl,-T,{}", script.display()))
        .args(objects)
        .arg("-o")
        .arg(image);
    let status = command
        .status()
        .unwrap_or_else(|e| panic!("cannot run {command:?}: {e}"));
    assert!(status.success(), "{command:?}: {status}");
}
