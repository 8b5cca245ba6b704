// SPDX-License-Identifier: GPL-2.0

//! Functions of which a call may never return: it would be in flight in a trampoline for ever.
//!
//! The kernel's types don't tell. These end a task, a CPU or the machine, or call what does.

use kernel::str::CStr;

/// The task ends in them.
const TASK: [&str; 29] = [
    "__exit_to_user_mode_loop",
    "__ia32_sys_exit",
    "__ia32_sys_exit_group",
    "__kunit_abort",
    "__module_put_and_kthread_exit",
    "__seccomp_filter",
    "__secure_computing",
    "__x64_sys_exit",
    "__x64_sys_exit_group",
    "arch_do_signal_or_restart",
    "call_usermodehelper_exec_async",
    "do_exit",
    "do_group_exit",
    "do_task_dead",
    "exit_to_user_mode_loop",
    "get_signal",
    "ia32_sys_call",
    "io_sq_thread",
    "io_wq_worker",
    "kthread",
    "kthread_complete_and_exit",
    "kthread_exit",
    "kunit_try_catch_throw",
    "make_task_dead",
    "oops_end",
    "rewind_stack_and_make_dead",
    "syscall_trace_enter",
    "vhost_task_fn",
    "x64_sys_call",
];

/// A CPU goes offline in them, and comes back elsewhere.
const CPU: [&str; 16] = [
    "acpi_idle_play_dead",
    "acpi_processor_ffh_play_dead",
    "arch_cpu_idle_dead",
    "cpu_bringup_and_idle",
    "cpu_startup_entry",
    "cpuidle_play_dead",
    "do_idle",
    "hlt_play_dead",
    "mwait_play_dead",
    "native_play_dead",
    "play_dead_common",
    "rest_init",
    "start_secondary",
    "stop_this_cpu",
    "xen_cpu_bringup_again",
    "xen_pv_play_dead",
];

/// All ends in them.
const MACHINE: [&str; 30] = [
    "__crash_kexec",
    "__fortify_panic",
    "__stack_chk_fail",
    "__ubsan_handle_builtin_unreachable",
    "crash_kexec",
    "do_kernel_power_off",
    "do_kernel_restart",
    "emergency_restart",
    "hv_ghcb_terminate",
    "kernel_halt",
    "kernel_power_off",
    "kernel_restart",
    "machine_halt",
    "machine_kexec",
    "machine_power_off",
    "machine_real_restart",
    "machine_restart",
    "native_machine_emergency_restart",
    "native_machine_halt",
    "native_machine_power_off",
    "native_machine_restart",
    "nmi_panic",
    "nmi_panic_self_stop",
    "panic",
    "panic_smp_self_stop",
    "rust_begin_unwind",
    "rust_helper_BUG",
    "sev_es_terminate",
    "usercopy_abort",
    "vpanic",
];

/// Whether a call of `function` may never return.
pub(crate) fn may_not_return(function: &CStr) -> bool {
    let name = function.to_bytes();
    // Less what the compiler appended.
    let end = name.iter().position(|&byte| byte == b'.');
    let name = &name[..end.unwrap_or(name.len())];
    [&TASK[..], &CPU, &MACHINE]
        .iter()
        .any(|names| names.iter().any(|known| known.as_bytes() == name))
}
