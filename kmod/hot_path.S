/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The hot path: how a sample is recorded, and the direct backend's trampolines.
 *
 * A .S file because return thunks, alternatives, per-CPU addressing and unwind
 * hints are macros of the kernel's headers.
 */

#include <linux/linkage.h>
#include <linux/objtool.h>
#include <asm/alternative.h>
#include <asm/asm.h>
#include <asm/cpufeatures.h>
#include <asm/nospec-branch.h>
#include <asm/percpu.h>
#include <asm/unwind_hints.h>

#include "cell.h"

#define CPU(field)	PER_CPU_VAR(xcap_cpu + XCAP_CPU_##field)
#define CELL(field)	%gs:XCAP_CELL_##field(%r11)

/*
 * As <asm/preempt.h>: the count's top bit says that no reschedule is needed,
 * so its width matters to who tests for zero.
 */
#ifdef CONFIG_HAS_SEPARATE_PREEMPT_RESCHED_BITS
#define PREEMPT_INC	incq PER_CPU_VAR(__preempt_count)
#define PREEMPT_DEC	decq PER_CPU_VAR(__preempt_count)
#else
#define PREEMPT_INC	incl PER_CPU_VAR(__preempt_count)
#define PREEMPT_DEC	decl PER_CPU_VAR(__preempt_count)
#endif

/*
 * Record the sample in %rax and %rsi (below 2^32) in the cell %r11, for the call
 * whose frame is at \frame. Preemption is off and the CPU's stamp is the frame's, so
 * no other task ran here since the call began. An interrupt may: each update is
 * one instruction, or (add and adc) carries in flags that an interrupt restores.
 *
 * The histogram is counted first and `done`, by the caller, last: a reader that
 * finds them equal has not torn a sample (Cell::snapshot).
 *
 * Clobbers %rax, %rcx, %rdx, %rsi, %r8.
 */
.macro RECORD frame:req
	/*
	 * The position below 63 of the leading bit (64: there is none), and the
	 * bits from it on: histogram::raw_bucket(). Prefixes without effect fill
	 * the shorter instructions up.
	 */
	ALTERNATIVE "movl $127, %ecx; bsrq %rsi, %rcx; xorl $63, %ecx", \
		    ".long 0x3e3e3e3e; .byte 0x3e, 0x3e, 0x3e; lzcntq %rsi, %rcx", \
		    X86_FEATURE_ABM
	ALTERNATIVE "movq %rsi, %rdx; shlq %cl, %rdx", \
		    ".byte 0x3e; shlxq %rcx, %rsi, %rdx", X86_FEATURE_BMI2
	shrq	$60, %rdx
	leaq	(%rdx, %rcx, 8), %rdx
	incq	%gs:(XCAP_CELL_HISTOGRAM - 64)(%r11, %rdx, 8)

	addq	%rsi, CELL(SUM)
	mulq	%rsi
	addq	%rax, CELL(SUMSQ)
	adcq	%rdx, %gs:(XCAP_CELL_SUMSQ + 8)(%r11)

	cmpq	CELL(MIN), %rsi
	jb	.Lminimum\@
.Lminimum_done\@:
	cmpq	CELL(MAX), %rsi
	ja	.Lmaximum\@
.Lmaximum_done\@:

	/* Self time: less what completed here, stages and interrupts, meanwhile. */
	movq	CPU(NESTED), %rax
	subq	XCAP_FRAME_NESTED(\frame), %rax
	subq	%rax, %rsi
	jb	.Ltorn\@
	addq	%rsi, CELL(SELF_SUM)
.Ltorn_done\@:
	addq	%rsi, CPU(NESTED)

	/*
	 * Known cost of the probes that hit meanwhile: low half, outside the
	 * samples directly nested; high half, all. This one's own is outside to
	 * the one around it.
	 */
	movq	CPU(OVERHEAD), %rax
	subq	XCAP_FRAME_OVERHEAD(\frame), %rax
	movl	%eax, %r8d
	addq	%r8, CELL(NESTED_OUTSIDE)
	shrq	$32, %rax
	addq	%rax, CELL(NESTED_COST)
	movq	CELL(COSTS), %rdx
	subq	%r8, %rdx
	addq	%rdx, CPU(OVERHEAD)

	.pushsection .text.unlikely, "ax"
	/*
	 * The minimum kept is never 0, so that each sample of 0, which shares the
	 * bucket of 1, comes here. An interrupt can record a sample between the
	 * comparison and the store.
	 */
.Lminimum\@:
	testq	%rsi, %rsi
	jz	.Lzero\@
	movq	CELL(MIN), %rax
.Lminimum_again\@:
	cmpq	%rax, %rsi
	jae	.Lminimum_done\@
	cmpxchgq %rsi, CELL(MIN)
	jne	.Lminimum_again\@
	jmp	.Lminimum_done\@
.Lzero\@:
	incq	CELL(ZEROS)
	jmp	.Lminimum_done\@
.Lmaximum\@:
	movq	CELL(MAX), %rax
.Lmaximum_again\@:
	cmpq	%rax, %rsi
	jbe	.Lmaximum_done\@
	cmpxchgq %rsi, CELL(MAX)
	jne	.Lmaximum_again\@
	jmp	.Lmaximum_done\@
	/* An interrupt between reading a clock and a total: no self time to be had. */
.Ltorn\@:
	incq	CELL(SWITCHED)
	jmp	.Ltorn_done\@
	.popsection
.endm

/*
 * int xcap_record(frame, cycles)
 * int xcap_record_work(frame, cycles, work)
 *
 * Called by the handlers of the other backends, with preemption off.
 */
.macro RECORD_FUNCTION name:req, work=0
SYM_FUNC_START(\name)
	movq	%rsi, %rax
	shrq	$32, %rax
	jne	xcap_record_slow
	movq	CPU(STAMP), %rax
	cmpq	XCAP_FRAME_STAMP(%rdi), %rax
	jne	xcap_record_slow
	movq	XCAP_FRAME_CELL(%rdi), %r11
	movq	%rsi, %rax
	.if \work
	movq	%rdx, %r10
	.endif
	RECORD	%rdi
	.if \work
	andq	CELL(WORK_MASK), %r10
	addq	%r10, CELL(WORK)
	.endif
	incq	CELL(DONE)
	xorl	%eax, %eax
	RET
SYM_FUNC_END(\name)
_ASM_NOKPROBE(\name)
.endm

RECORD_FUNCTION xcap_record
RECORD_FUNCTION xcap_record_work work=1

/*
 * The direct backend. ftrace calls slot n from the entry of the function that
 * it times: (%rsp) is the rest of the function, 8(%rsp) its caller.
 *
 * The slot returns into the rest of the function, with the frame and an address
 * of ours below the caller's: so the function returns to xcap_direct_return,
 * where %rsp is the frame. Returns, not jumps, because the rest of a function
 * is no target for an indirect branch (IBT). The frame's TSC takes the place of
 * the slot's own return address.
 *
 * A function with arguments on the stack would not find them.
 */
	.text
	.balign XCAP_DIRECT_SLOT_SIZE
SYM_CODE_START_NOALIGN(xcap_direct_slots)
	ANNOTATE_NOENDBR
	.set	slot, 0
	.rept	XCAP_DIRECT_SLOTS
	.balign XCAP_DIRECT_SLOT_SIZE, 0xcc
	UNWIND_HINT_FUNC
	movq	(xcap_direct_cells + 8 * slot)(%rip), %r11
	incq	CELL(ENTRIES)
	pushq	%r11
	pushq	CPU(STAMP)
	pushq	CPU(NESTED)
	pushq	CPU(OVERHEAD)
	pushq	CELL(RETURN_TO)
	pushq	XCAP_FRAME_SIZE(%rsp)
	movq	%rdx, %r10
	movq	%rax, %r11
	rdtsc
	.set	sp_above_frame, XCAP_FRAME_SIZE + 24
	UNWIND_HINT sp_reg=ORC_REG_SP sp_offset=sp_above_frame type=UNWIND_HINT_TYPE_CALL
	movl	%eax, (16 + XCAP_FRAME_TSC)(%rsp)
	movl	%edx, (16 + XCAP_FRAME_TSC + 4)(%rsp)
	movq	%r11, %rax
	movq	%r10, %rdx
	UNWIND_HINT_FUNC
	RET
	.set	slot, slot + 1
	.endr
SYM_CODE_END(xcap_direct_slots)
_ASM_NOKPROBE(xcap_direct_slots)

/*
 * \work: the function returns how much it did. \wide: it may return a value in
 * two registers, %rax and %rdx.
 */
.macro DIRECT_RETURN name:req, work=0, wide=0
SYM_CODE_START(\name\()_before)
	/* The unwinder looks up a return address less one. */
	.set	sp_at_frame, XCAP_FRAME_SIZE + 8
	UNWIND_HINT sp_reg=ORC_REG_SP sp_offset=sp_at_frame type=UNWIND_HINT_TYPE_CALL
	nop
SYM_INNER_LABEL(\name, SYM_L_GLOBAL)
	ANNOTATE_NOENDBR
	movq	%rax, %r10
	.if \wide
	movq	%rdx, %r9
	.endif
	rdtsc
	subl	XCAP_FRAME_TSC(%rsp), %eax
	sbbl	(XCAP_FRAME_TSC + 4)(%rsp), %edx
	jne	.Llong\@
	movq	XCAP_FRAME_CELL(%rsp), %r11
	PREEMPT_INC
	movq	CPU(STAMP), %rdx
	cmpq	XCAP_FRAME_STAMP(%rsp), %rdx
	jne	.Lstraddled\@
	movq	%rax, %rsi
	RECORD	%rsp
	.if \work
	movq	%r10, %r8
	andq	CELL(WORK_MASK), %r8
	addq	%r8, CELL(WORK)
	.endif
	incq	CELL(DONE)
.Lrecorded\@:
	PREEMPT_DEC
	jz	.Lpreempt\@
.Lreturn\@:
	addq	$XCAP_FRAME_SIZE, %rsp
	movq	%r10, %rax
	.if \wide
	movq	%r9, %rdx
	.endif
	RET
.Lpreempt\@:
#ifdef CONFIG_PREEMPTION
	call	preempt_schedule_notrace_thunk
#endif
	jmp	.Lreturn\@
.Llong\@:
	PREEMPT_INC
	shlq	$32, %rdx
	orq	%rdx, %rax
.Lstraddled\@:
	movq	%rsp, %rdi
	pushq	%r10
	pushq	%r9
	movq	%rax, %rsi
	movq	%r10, %rdx
	call	xcap_record_slow
	popq	%r9
	popq	%r10
	jmp	.Lrecorded\@
SYM_CODE_END(\name\()_before)
_ASM_NOKPROBE(\name\()_before)
_ASM_NOKPROBE(\name)
.endm

DIRECT_RETURN xcap_direct_return
DIRECT_RETURN xcap_direct_return_work work=1
DIRECT_RETURN xcap_direct_return_wide wide=1
