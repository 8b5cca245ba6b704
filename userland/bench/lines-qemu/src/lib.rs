// SPDX-License-Identifier: GPL-2.0

//! A plugin of QEMU's emulator: writes, for every window between markers, the lines of memory that all CPUs
//! touched and at least one wrote.
//!
//! `-plugin libxcap_lines_qemu.so,out=FILE`; each window is a line of JSON, an [`xcap_lines::Window`].

mod api;

use api::{HardwareAddress, Info, Instruction, MemoryInfo, PluginId, TranslationBlock};
use std::ffi::{c_char, c_int, c_uint, c_void, CStr};
use std::fs::File;
use std::io::Write;
use std::sync::{Mutex, OnceLock, PoisonError};
use xcap_lines::recorder::Access;
use xcap_lines::{Marker, Recorder, Window, LINE_BYTES};

const PAGE_BYTES: u64 = 4096;

struct Plugin {
    recorder: Recorder,
    file: Mutex<File>,
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
    // SAFETY: QEMU gives a valid one for the time of this call.
    let info = unsafe { &*info };
    let count = usize::try_from(argc).unwrap_or(0);
    let arguments = (0..count).map(|i| {
        // SAFETY: There are `argc` arguments, and each is a string that stays.
        unsafe { CStr::from_ptr(*argv.add(i)) }.to_string_lossy()
    });
    match install(info, arguments) {
        Ok(plugin) => {
            let _ = PLUGIN.set(plugin);
            // SAFETY: The callback is one for translated blocks and never goes away.
            unsafe { api::qemu_plugin_register_vcpu_tb_trans_cb(id, translated) };
            0
        }
        Err(reason) => {
            eprintln!("xcap-lines: {reason}");
            1
        }
    }
}

fn install(
    info: &Info,
    arguments: impl Iterator<Item = impl AsRef<str>>,
) -> Result<Plugin, String> {
    if !info.system_emulation {
        return Err("it needs a whole machine".to_owned());
    }
    let mut file = None;
    for argument in arguments {
        let argument = argument.as_ref();
        let Some(path) = argument.strip_prefix("out=") else {
            return Err(format!("'{argument}' is no argument: out=FILE is"));
        };
        file = Some(File::create(path).map_err(|e| format!("cannot write '{path}': {e}"))?);
    }
    Ok(Plugin {
        recorder: Recorder::new(usize::try_from(info.cpus).unwrap_or(0)),
        file: Mutex::new(file.ok_or("out=FILE is missing")?),
    })
}

/// Has every access to memory and every marker of the block told to us.
unsafe extern "C" fn translated(_: PluginId, block: *mut TranslationBlock) {
    // SAFETY: QEMU lends the block for the time of this call.
    let instructions = unsafe { api::qemu_plugin_tb_n_insns(block) };
    for index in 0..instructions {
        // SAFETY: The block has more instructions than `index`, and lends them for as long.
        unsafe {
            let instruction = api::qemu_plugin_tb_get_insn(block, index);
            let address = api::qemu_plugin_insn_vaddr(instruction);
            api::qemu_plugin_register_vcpu_mem_cb(
                instruction,
                touched,
                api::NO_REGISTERS,
                api::READ_AND_WRITE,
                address as *mut c_void,
            );
            let executed = match marker(instruction) {
                Some(Marker::Begin) => begun,
                Some(Marker::End) => ended,
                None => continue,
            };
            api::qemu_plugin_register_vcpu_insn_exec_cb(
                instruction,
                executed,
                api::NO_REGISTERS,
                std::ptr::null_mut(),
            );
        }
    }
}

/// # Safety
///
/// The instruction is one that QEMU lends.
unsafe fn marker(instruction: *const Instruction) -> Option<Marker> {
    // One byte more than a marker has: what is longer is none.
    let mut code = [0u8; Marker::SIZE + 1];
    // SAFETY: QEMU lends the instruction, and writes no more than the length given.
    let length =
        unsafe { api::qemu_plugin_insn_data(instruction, code.as_mut_ptr().cast(), code.len()) };
    code.get(..length).and_then(Marker::of)
}

unsafe extern "C" fn begun(cpu: c_uint, _: *mut c_void) {
    if let Some(plugin) = PLUGIN.get() {
        plugin.recorder.begin(cpu as usize);
    }
}

unsafe extern "C" fn ended(cpu: c_uint, _: *mut c_void) {
    let Some(plugin) = PLUGIN.get() else { return };
    if let Some(window) = plugin.recorder.end(cpu as usize) {
        if let Err(e) = plugin.write(&window) {
            eprintln!("xcap-lines: cannot write a window: {e}");
        }
    }
}

impl Plugin {
    fn write(&self, window: &Window) -> std::io::Result<()> {
        let text = serde_json::to_string(window)? + "\n";
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(text.as_bytes())
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
