/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What kmod/hot_path.S finds in the module and in the kernel: for all units.
 */
#include "cell.h"

	.bss
	/* A CPU's own memory: the first copy is a template, each CPU's is reached through gs. */
	.balign 4096
	.globl	silicon_percpu, silicon_percpu_end, silicon_cells
	.globl	xcap_cpu, __preempt_count, silicon_sum, silicon_shadow
silicon_percpu:
xcap_cpu:
	.skip	64
__preempt_count:
	.skip	64
	/* What the shapes of others keep: count, sum; and a stack of returns. */
silicon_sum:
	.skip	64
silicon_shadow:
	.skip	64 * 16
	.balign 64
silicon_cells:
	.skip	SILICON_CELLS * SILICON_CELL_SIZE
	.balign 4096
silicon_percpu_end:

	.data
	.balign 64
	.globl	xcap_direct_cells
xcap_direct_cells:
	.skip	8 * XCAP_DIRECT_SLOTS

	.text
	/* Samples that the fast path refuses aren't expected here: they stay uncounted, and are missed. */
	.globl	xcap_record_slow, preempt_schedule_notrace_thunk
xcap_record_slow:
preempt_schedule_notrace_thunk:
	xorl	%eax, %eax
	ret

	.section .note.GNU-stack, "", @progbits
