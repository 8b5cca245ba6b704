// SPDX-License-Identifier: GPL-2.0

//! A plugin of QEMU's emulator: writes, for every window between markers, the lines of memory that all CPUs
//! touched and at least one wrote.
//!
//! `-plugin libxcap_lines_qemu.so,out=FILE`; each window is a line of JSON, an [`xcap_lines::Window`].

use std::ffi::{c_char, c_int, c_uint, c_void};
use std::sync::OnceLock;
use xcap_lines::recorder::Access;
use xcap_lines::{Recorder, LINE_BYTES};
use xcap_qemu_plugin::api::{self, HardwareAddress, Info, MemoryInfo, PluginId, TranslationBlock};
use xcap_qemu_plugin::instruction::{instructions, watch_marker};
use xcap_qemu_plugin::output::Output;

const PAGE_BYTES: u64 = 4096;

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

/// Has every access to memory and every marker of the block told to us.
unsafe extern "C" fn translated(_: PluginId, block: *mut TranslationBlock) {
    // SAFETY: QEMU lends the block, and with it its instructions, for the time of this call.
    for instruction in unsafe { instructions(block) } {
        // SAFETY: As above; the callbacks are what they are registered for, and never go away.
        unsafe {
            let address = api::qemu_plugin_insn_vaddr(instruction);
            api::qemu_plugin_register_vcpu_mem_cb(
                instruction,
                touched,
                api::NO_REGISTERS,
                api::READ_AND_WRITE,
                address as *mut c_void,
            );
            watch_marker(instruction, begun, ended);
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

unsafe extern "C" fn touched(cpu: c_uint, info: MemoryInfo, address: u64, by: *mut c_void) {
    let Some(plugin) = PLUGIN.get() else { return };
    let access = || {
        // SAFETY: `info` and `address` are what QEMU gave to this callback, which is where it may be asked.
        let physical = unsafe { physical(info, address) }?;
        Some(Access {
            physical,
            address,
            // SAFETY: As above.
            store: unsafe { api::qemu_plugin_mem_is_store(info) },
            by: by as u64,
        })
    };
    plugin.recorder.touch(cpu as usize, access);
    // SAFETY: As above.
    let size = 1u64 << unsafe { api::qemu_plugin_mem_size_shift(info) };
    let next = (address / LINE_BYTES + 1) * LINE_BYTES;
    // Unaligned, and in the next line too; where another page's begins, QEMU does not say where that is.
    if address + size > next && next % PAGE_BYTES != 0 {
        let rest = next - address;
        let access = || {
            access().map(|access| Access {
                physical: access.physical + rest,
                address: next,
                ..access
            })
        };
        plugin.recorder.touch(cpu as usize, access);
    }
}

/// The physical address, unless a device is there.
///
/// # Safety
///
/// Only a callback for an access may call it, with what QEMU gave it.
unsafe fn physical(info: MemoryInfo, address: u64) -> Option<u64> {
    // SAFETY: The caller's promise.
    let found: *const HardwareAddress = unsafe { api::qemu_plugin_get_hwaddr(info, address) };
    if found.is_null() {
        return None;
    }
    // SAFETY: It isn't null, and valid until the callback returns.
    unsafe {
        (!api::qemu_plugin_hwaddr_is_io(found)).then(|| api::qemu_plugin_hwaddr_phys_addr(found))
    }
}
