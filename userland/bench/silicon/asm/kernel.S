/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What kmod/hot_path.S finds in the module and in the kernel, for all units; and where the program
 * finds it: `Head` in src/image.rs.
 */
#include "cell.h"

	.section .head, "a"
	.quad	silicon_plain, silicon_thunk, silicon_safe_ret
	.quad	percpu, percpu_end
	.quad	xcap_cpu, __preempt_count, silicon_sum, shadow, cells
	.quad	xcap_direct_cells

	.bss
	/* A CPU's own memory: this is a template, each CPU's is reached through gs. */
	.balign 4096
	.globl	xcap_cpu, __preempt_count, silicon_sum
percpu:
xcap_cpu:
	.skip	64
__preempt_count:
	.skip	64
	/* What the shapes of others keep: count, sum, the top of a stack of returns; that stack. */
silicon_sum:
	.skip	64
shadow:
	.skip	64 * 16
	.balign 64
cells:
	.skip	SILICON_CELLS * SILICON_CELL_SIZE
	.balign 4096
percpu_end:

	.data
	.balign 64
	.globl	xcap_direct_cells
xcap_direct_cells:
	.skip	8 * (XCAP_DIRECT_SLOTS + XCAP_MARKING_SLOTS + XCAP_SCOPED_SLOTS)

	.text
	/*
	 * Samples that the fast path refuses aren't expected here: they stay uncounted, and are missed.
	 * No marks are left, nothing is in scope.
	 */
	.globl	xcap_record_slow, preempt_schedule_notrace_thunk, xcap_mark, xcap_mark_leave, xcap_scope
xcap_record_slow:
xcap_mark:
xcap_mark_leave:
xcap_scope:
preempt_schedule_notrace_thunk:
	xorl	%eax, %eax
	ret

	.section .note.GNU-stack, "", @progbits
