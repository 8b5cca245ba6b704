// SPDX-License-Identifier: GPL-2.0

//! What is needed of QEMU's interface for plugins (include/qemu/qemu-plugin.h).
//!
//! # Safety
//!
//! As that header says: what a callback is given may be used until it returns.

use std::ffi::{c_char, c_int, c_uint, c_void};

/// The oldest version that has all of this; QEMU 9.2 and later take it.
pub const VERSION: c_int = 4;

pub type PluginId = u64;

/// `qemu_info_t`
#[repr(C)]
pub struct Info {
    target: *const c_char,
    oldest_version: c_int,
    newest_version: c_int,
    pub system_emulation: bool,
    pub cpus: c_int,
    most_cpus: c_int,
}

#[repr(C)]
pub struct TranslationBlock {
    _opaque: [u8; 0],
}

#[repr(C)]
pub struct Instruction {
    _opaque: [u8; 0],
}

#[repr(C)]
pub struct HardwareAddress {
    _opaque: [u8; 0],
}

pub type MemoryInfo = u32;

/// `QEMU_PLUGIN_CB_NO_REGS`
pub const NO_REGISTERS: c_int = 0;

/// `QEMU_PLUGIN_MEM_R`
pub const READ: c_int = 1;

/// `QEMU_PLUGIN_MEM_W`
pub const WRITE: c_int = 2;

/// `QEMU_PLUGIN_MEM_RW`
pub const READ_AND_WRITE: c_int = READ | WRITE;

/// `qemu_plugin_mem_value`
#[repr(C)]
pub struct MemoryValue {
    kind: c_int,
    low: u64,
    high: u64,
}

impl MemoryValue {
    /// The value, if it is one of 64 bits.
    pub fn quad(&self) -> Option<u64> {
        /// `QEMU_PLUGIN_MEM_VALUE_U64`
        const QUAD: c_int = 3;
        (self.kind == QUAD).then_some(self.low)
    }
}

pub type Translated = unsafe extern "C" fn(PluginId, *mut TranslationBlock);
pub type Executed = unsafe extern "C" fn(c_uint, *mut c_void);
pub type Touched = unsafe extern "C" fn(c_uint, MemoryInfo, u64, *mut c_void);

extern "C" {
    pub fn qemu_plugin_register_vcpu_tb_trans_cb(id: PluginId, callback: Translated);
    pub fn qemu_plugin_tb_n_insns(block: *const TranslationBlock) -> usize;
    pub fn qemu_plugin_tb_get_insn(
        block: *const TranslationBlock,
        index: usize,
    ) -> *mut Instruction;
    pub fn qemu_plugin_insn_data(
        instruction: *const Instruction,
        to: *mut c_void,
        length: usize,
    ) -> usize;
    pub fn qemu_plugin_insn_vaddr(instruction: *const Instruction) -> u64;
    pub fn qemu_plugin_register_vcpu_insn_exec_cb(
        instruction: *mut Instruction,
        callback: Executed,
        flags: c_int,
        data: *mut c_void,
    );
    pub fn qemu_plugin_register_vcpu_mem_cb(
        instruction: *mut Instruction,
        callback: Touched,
        flags: c_int,
        which: c_int,
        data: *mut c_void,
    );
    pub fn qemu_plugin_mem_get_value(info: MemoryInfo) -> MemoryValue;
    pub fn qemu_plugin_mem_is_store(info: MemoryInfo) -> bool;
    pub fn qemu_plugin_mem_size_shift(info: MemoryInfo) -> c_uint;
    pub fn qemu_plugin_get_hwaddr(info: MemoryInfo, address: u64) -> *const HardwareAddress;
    pub fn qemu_plugin_hwaddr_is_io(address: *const HardwareAddress) -> bool;
    pub fn qemu_plugin_hwaddr_phys_addr(address: *const HardwareAddress) -> u64;
}
