// SPDX-License-Identifier: GPL-2.0

//! What plugins of QEMU's emulator have in common: its interface, how they are loaded, and what they write.

pub mod api;
pub mod instruction;
pub mod output;

use api::{Info, PluginId, Translated};
use output::Output;
use std::ffi::{c_char, c_int, CStr};
use std::sync::OnceLock;

/// Installs the plugin that `make` makes of the number of CPUs and of the file it writes to.
///
/// Takes what QEMU gave to `qemu_plugin_install`, and returns what that has to return: 0, or something else if it
/// fails.
///
/// # Safety
///
/// QEMU is calling `qemu_plugin_install`: `info` and the `argc` arguments are valid.
pub unsafe fn install<T>(
    (id, info, argc, argv): (PluginId, *const Info, c_int, *const *const c_char),
    plugin: &OnceLock<T>,
    make: impl FnOnce(usize, Output) -> T,
    translated: Translated,
) -> c_int {
    // SAFETY: QEMU gives a valid one for the time of this call.
    let info = unsafe { &*info };
    let count = usize::try_from(argc).unwrap_or(0);
    let arguments = (0..count).map(|i| {
        // SAFETY: There are `argc` arguments, and each is a string that stays.
        unsafe { CStr::from_ptr(*argv.add(i)) }.to_string_lossy()
    });
    let output = match output(info, arguments) {
        Ok(output) => output,
        Err(reason) => {
            eprintln!("xcap: a plugin of QEMU's: {reason}");
            return 1;
        }
    };
    let _ = plugin.set(make(usize::try_from(info.cpus).unwrap_or(0), output));
    // SAFETY: The callback is one for translated blocks and never goes away.
    unsafe { api::qemu_plugin_register_vcpu_tb_trans_cb(id, translated) };
    0
}

fn output(info: &Info, arguments: impl Iterator<Item = impl AsRef<str>>) -> Result<Output, String> {
    if !info.system_emulation {
        return Err("it needs a whole machine".to_owned());
    }
    let mut output = None;
    for argument in arguments {
        let argument = argument.as_ref();
        let Some(path) = argument.strip_prefix("out=") else {
            return Err(format!("'{argument}' is no argument: out=FILE is"));
        };
        output = Some(Output::create(path)?);
    }
    output.ok_or_else(|| "out=FILE is missing".to_owned())
}
