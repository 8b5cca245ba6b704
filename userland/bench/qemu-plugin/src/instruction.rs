// SPDX-License-Identifier: GPL-2.0

//! Instructions as they are translated.

use crate::api::{self, Executed, Instruction, TranslationBlock};
use xcap_marker::Marker;

/// Longest instruction of an x86 processor.
pub const MOST_BYTES: usize = 15;

/// The block's instructions.
///
/// # Safety
///
/// QEMU lends the block for as long as the instructions are used.
pub unsafe fn instructions(
    block: *const TranslationBlock,
) -> impl Iterator<Item = *mut Instruction> {
    // SAFETY: The caller's promise.
    let count = unsafe { api::qemu_plugin_tb_n_insns(block) };
    // SAFETY: The block has more instructions than `index`; and the caller's promise.
    (0..count).map(move |index| unsafe { api::qemu_plugin_tb_get_insn(block, index) })
}

/// Hands the instruction's bytes to `with`.
///
/// # Safety
///
/// The instruction is one that QEMU lends.
pub unsafe fn with_code<T>(
    instruction: *const Instruction,
    with: impl FnOnce(&[u8]) -> Option<T>,
) -> Option<T> {
    let mut code = [0u8; MOST_BYTES];
    // SAFETY: QEMU lends the instruction, and writes no more than the length given.
    let length =
        unsafe { api::qemu_plugin_insn_data(instruction, code.as_mut_ptr().cast(), code.len()) };
    code.get(..length).and_then(with)
}

/// Has `begun` or `ended` called where the instruction is a marker.
///
/// # Safety
///
/// The instruction is one that QEMU lends.
pub unsafe fn watch_marker(instruction: *mut Instruction, begun: Executed, ended: Executed) {
    // SAFETY: The caller's promise.
    let executed = match unsafe { with_code(instruction, Marker::of) } {
        Some(Marker::Begin) => begun,
        Some(Marker::End) => ended,
        None => return,
    };
    let (flags, data) = (api::NO_REGISTERS, std::ptr::null_mut());
    // SAFETY: As above, and the callback is one for instructions and never goes away.
    unsafe { api::qemu_plugin_register_vcpu_insn_exec_cb(instruction, executed, flags, data) };
}
