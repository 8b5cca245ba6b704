// SPDX-License-Identifier: GPL-2.0

//! A plugin of QEMU's emulator: writes, for every window between markers, how many of the kernel's returns a
//! processor would have mispredicted.
//!
//! `-plugin libxcap_returns_qemu.so,out=FILE`; each window is a line of JSON, an [`xcap_returns::Window`].
//!
//! What a call stores is where it is to return to, and what a return loads is where it goes: so neither an interrupt
//! between two instructions nor one that faults and is executed again is miscounted.

use std::ffi::{c_char, c_int, c_uint, c_void};
use std::sync::OnceLock;
use xcap_qemu_plugin::api::{self, Info, MemoryInfo, PluginId, TranslationBlock};
use xcap_qemu_plugin::instruction::{instructions, watch_marker, with_code};
use xcap_qemu_plugin::output::Output;
use xcap_returns::{Branch, Recorder};

struct Plugin {
    recorder: Recorder,
    output: Output,
}

static PLUGIN: OnceLock<Plugin> = OnceLock::new();

/// Version of the interface that this is written for.
#[no_mangle]
pub static qemu_plugin_version: c_int = api::VERSION;

/// Called by QEMU when it loads this; returns what isn't 0 if that fails.
///
/// # Safety
///
/// Only QEMU may call it, as its header says: `info` and the `argc` arguments are valid.
#[no_mangle]
pub unsafe extern "C" fn qemu_plugin_install(
    id: PluginId,
    info: *const Info,
    argc: c_int,
    argv: *const *const c_char,
) -> c_int {
    let make = |cpus, output| Plugin {
        recorder: Recorder::new(cpus),
        output,
    };
    // SAFETY: QEMU is calling this, and what it gave is passed on.
    unsafe { xcap_qemu_plugin::install((id, info, argc, argv), &PLUGIN, make, translated) }
}

/// Has every call, return and marker of the block told to us.
unsafe extern "C" fn translated(_: PluginId, block: *mut TranslationBlock) {
    // SAFETY: QEMU lends the block, and with it its instructions, for the time of this call.
    for instruction in unsafe { instructions(block) } {
        // SAFETY: As above; the callbacks are what they are registered for, and never go away.
        unsafe {
            watch_marker(instruction, begun, ended);
            let (told, which): (api::Touched, _) = match with_code(instruction, Branch::of) {
                Some(Branch::Call) => (called, api::WRITE),
                Some(Branch::Return) => (returned, api::READ),
                None => continue,
            };
            api::qemu_plugin_register_vcpu_mem_cb(
                instruction,
                told,
                api::NO_REGISTERS,
                which,
                std::ptr::null_mut(),
            );
        }
    }
}

unsafe extern "C" fn begun(cpu: c_uint, _: *mut c_void) {
    if let Some(plugin) = PLUGIN.get() {
        plugin.recorder.begin(cpu as usize);
    }
}

unsafe extern "C" fn ended(cpu: c_uint, _: *mut c_void) {
    let Some(plugin) = PLUGIN.get() else { return };
    if let Some(window) = plugin.recorder.end(cpu as usize) {
        plugin.output.write(&window);
    }
}

unsafe extern "C" fn called(cpu: c_uint, info: MemoryInfo, _: u64, _: *mut c_void) {
    let Some(plugin) = PLUGIN.get() else { return };
    // SAFETY: It is what QEMU gave to this callback.
    if let Some(address) = unsafe { api::qemu_plugin_mem_get_value(info) }.quad() {
        plugin.recorder.called(cpu as usize, address);
    }
}

unsafe extern "C" fn returned(cpu: c_uint, info: MemoryInfo, _: u64, _: *mut c_void) {
    let Some(plugin) = PLUGIN.get() else { return };
    // SAFETY: It is what QEMU gave to this callback.
    if let Some(address) = unsafe { api::qemu_plugin_mem_get_value(info) }.quad() {
        plugin.recorder.returned(cpu as usize, address);
    }
}
