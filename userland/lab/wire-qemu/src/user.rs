// SPDX-License-Identifier: GPL-2.0

//! The machine's instructions in user mode.

use std::ffi::c_int;
use std::sync::OnceLock;

/// Where no kernel's code is, nor a hypervisor's: the lower half of the addresses.
const USERS: u64 = 1 << 47;

#[repr(C)]
pub struct Scoreboard {
    _opaque: [u8; 0],
}

/// `qemu_plugin_u64`: a number for each CPU.
#[derive(Clone, Copy)]
#[repr(C)]
struct Numbers {
    board: *mut Scoreboard,
    offset: usize,
}

// SAFETY: QEMU's functions for it may be called from any thread.
unsafe impl Send for Numbers {}
// SAFETY: As above.
unsafe impl Sync for Numbers {}

#[repr(C)]
struct Block {
    _opaque: [u8; 0],
}

/// `QEMU_PLUGIN_INLINE_ADD_U64`
const ADD: c_int = 0;

extern "C" {
    fn qemu_plugin_scoreboard_new(size: usize) -> *mut Scoreboard;
    fn qemu_plugin_u64_sum(numbers: Numbers) -> u64;
    fn qemu_plugin_register_vcpu_tb_trans_cb(
        id: u64,
        callback: unsafe extern "C" fn(u64, *mut Block),
    );
    fn qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(
        block: *mut Block,
        operation: c_int,
        numbers: Numbers,
        operand: u64,
    );
    fn qemu_plugin_tb_n_insns(block: *const Block) -> usize;
    fn qemu_plugin_tb_vaddr(block: *const Block) -> u64;
}

static EXECUTED: OnceLock<Numbers> = OnceLock::new();

/// Has them counted from now on.
///
/// # Safety
///
/// QEMU is installing the plugin of this id.
pub unsafe fn count(id: u64) {
    // SAFETY: A number for each CPU, which stays as long as QEMU.
    let board = unsafe { qemu_plugin_scoreboard_new(size_of::<u64>()) };
    let _ = EXECUTED.set(Numbers { board, offset: 0 });
    // SAFETY: The id is ours, and the callback never goes away.
    unsafe { qemu_plugin_register_vcpu_tb_trans_cb(id, translated) };
}

/// How many the machine has executed. What an interrupt or a fault leaves of a block counts as executed.
pub fn executed() -> u64 {
    // SAFETY: The numbers are there for good.
    EXECUTED
        .get()
        .map_or(0, |numbers| unsafe { qemu_plugin_u64_sum(*numbers) })
}

unsafe extern "C" fn translated(_: u64, block: *mut Block) {
    let Some(&numbers) = EXECUTED.get() else {
        return;
    };
    // SAFETY: QEMU lends the block for the time of this call, and a block is in one page.
    unsafe {
        if qemu_plugin_tb_vaddr(block) < USERS {
            let count = qemu_plugin_tb_n_insns(block) as u64;
            qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(block, ADD, numbers, count);
        }
    }
}
