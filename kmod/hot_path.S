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
#define HISTOGRAM(bucket)	%gs:(XCAP_CELL_HISTOGRAM - 64)(%r11, bucket, 8)

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
 * Record the sample %rsi (below 2^32) in the cell %r11, for the call whose frame is at
 * \frame. Preemption is off and the CPU's stamp is the frame's, so no other task ran
 * here since the call began. An interrupt may: each update is one instruction, or
 * (add and adc) carries in flags that an interrupt restores.
 *
 * The histogram is counted first and `done`, by the caller, last: a reader that
 * finds them equal has not torn a sample (Cell::snapshot).
 *
 * What is counted is the bucket of the sample before this one, which PENDING names:
 * a store whose address waits for this sample's clock would hold up the next probe's
 * (14 cycles on Zen 4, as much as all the rest). The very first counts in a bucket of
 * no sample.
 *
 * Clobbers %rax, %rcx, %rdx, %r8.
 */
.macro RECORD frame:req
	movq	CELL(PENDING), %r8
	incq	HISTOGRAM(%r8)
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
	movq	%r8, %rax
	cmpxchgq %rdx, CELL(PENDING)
	jne	.Lpending\@
.Lpending_done\@:

	addq	%rsi, CELL(SUM)
	movq	%rsi, %rax
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
	 * An interrupt recorded a sample meanwhile: it counted that bucket, and its own
	 * is pending. Nothing else of this sample is stored yet: a reader who finds as many
	 * as are done has those.
	 */
.Lpending\@:
	incq	HISTOGRAM(%rax)
	decq	HISTOGRAM(%r8)
	movq	%rax, %r8
	cmpxchgq %rdx, CELL(PENDING)
	jne	.Lpending\@
	jmp	.Lpending_done\@
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
 * The direct backend. The function that slot n times begins with a jump or a call to
 * it, and the slot calls the function's rest (direct.rs): each return, the function's to
 * the slot and ours to the caller, is one that the processor predicts. A return without
 * its call would be mispredicted, and so would those of all callers above it.
 *
 * Where a function jumps, its caller's address is at (%rsp); where it calls, the address
 * of its rest is below that.
 *
 * A function with arguments on the stack would not find them. %rax is dead where a
 * function of C begins.
 */
	.text
.macro DIRECT_SLOTS name:req, first:req, count:req, size:req, marks=0, scope=0
	.balign \size
SYM_CODE_START_NOALIGN(\name)
	ANNOTATE_NOENDBR
	.set	slot, 0
	.rept \count
	.balign \size, 0xcc
	UNWIND_HINT_FUNC
	movq	(xcap_direct_cells + 8 * (\first + slot))(%rip), %r11
	/* Before the clock is read: a sample is what it is without scope and marks. */
	.if \scope
	call	xcap_scope_entry
	testb	%al, %al
	jz	1f
	.endif
	.if \marks
	call	xcap_mark_entry
	cmpq	$XCAP_OUT_OF_SCOPE, %r10
	je	1f
	.endif
	incq	CELL(ENTRIES)
	.if \marks
	subq	$8, %rsp
	pushq	%r10
	pushq	%rax
	.endif
	pushq	%r11
	pushq	CPU(ENTRY)
	pushq	CPU(NESTED)
	pushq	CPU(OVERHEAD)
	movq	%rdx, %r10
	rdtsc
	pushq	%rax
	movl	%edx, 4(%rsp)
	movq	%r10, %rdx
	.if	slot == 0
.L\name\()_call:
	.endif
	call	xcap_direct_unset
	.if	slot == 0
.L\name\()_back:
	.endif
	jmp	xcap_direct_return
	/* What is called where calls have to be counted. */
	.if	slot == 0
.L\name\()_counted:
	.endif
	UNWIND_HINT_FUNC
#ifdef CONFIG_MITIGATION_CALL_DEPTH_TRACKING
	INCREMENT_CALL_DEPTH
#endif
	.if	slot == 0
.L\name\()_rest:
	.endif
	jmp	xcap_direct_unset
	.if \scope || \marks
	/* A call that is out of scope goes on as it came. */
	.if	slot == 0
.L\name\()_away:
	.endif
1:	jmp	xcap_direct_unset
	.endif
	.set	slot, slot + 1
	.endr
SYM_CODE_END(\name)
_ASM_NOKPROBE(\name)

	.pushsection .rodata, "a"
	.balign	4
	/* struct xcap_direct_layout */
SYM_DATA_START(\name\()_layout)
	.long	.L\name\()_call - \name
	.long	.L\name\()_back - \name
	.long	.L\name\()_counted - \name
	.long	.L\name\()_rest - \name
	.if \scope || \marks
	.long	.L\name\()_away - \name
	.else
	.long	0
	.endif
SYM_DATA_END(\name\()_layout)
	.popsection
.endm

DIRECT_SLOTS xcap_direct_slots, 0, XCAP_DIRECT_SLOTS, XCAP_DIRECT_SLOT_SIZE
DIRECT_SLOTS xcap_marking_slots, XCAP_DIRECT_SLOTS, XCAP_MARKING_SLOTS, XCAP_MARKING_SLOT_SIZE, marks=1
DIRECT_SLOTS xcap_scoped_slots, (XCAP_DIRECT_SLOTS + XCAP_MARKING_SLOTS), XCAP_SCOPED_SLOTS, XCAP_SCOPED_SLOT_SIZE, scope=1

/*
 * Has \function, which is Rust's, look at a function's arguments, with the cell %r11. Returns
 * what that does, in %rax and %r10; keeps all arguments and %r11.
 */
.macro AT_ENTRY name:req, function:req
SYM_FUNC_START_LOCAL(\name)
	pushq	%r11
	pushq	%r9
	pushq	%r8
	pushq	%rcx
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	movq	%rsp, %rdi
	movq	%r11, %rsi
	call	\function
	movq	%rdx, %r10
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%rcx
	popq	%r8
	popq	%r9
	popq	%r11
	RET
SYM_FUNC_END(\name)
_ASM_NOKPROBE(\name)
.endm

/* Which frame a call is about: its number in %rax, flags in %r10 (kmod/marking.rs). */
AT_ENTRY xcap_mark_entry, xcap_mark
/* Whether a call is in scope, in %al (kmod/scope.rs). */
AT_ENTRY xcap_scope_entry, xcap_scope

/* Where a slot that was called sends a call that is out of scope: to what called it. */
SYM_CODE_START(xcap_direct_called_away)
	ANNOTATE_NOENDBR
	UNWIND_HINT_FUNC
	CALL_DEPTH_ACCOUNT
	RET
SYM_CODE_END(xcap_direct_called_away)
_ASM_NOKPROBE(xcap_direct_called_away)

/* What a slot calls before it is anybody's. */
SYM_FUNC_START(xcap_direct_unset)
	RET
SYM_FUNC_END(xcap_direct_unset)
_ASM_NOKPROBE(xcap_direct_unset)

/*
 * What a slot that is called calls, where the function's rest may be another's: that is what
 * the address which the function left says. A return, not a jump, because what it goes to
 * is no target for an indirect branch (IBT); with a call of its own.
 */
.macro DIRECT_SHARED name:req, size:req
SYM_CODE_START(\name)
	ANNOTATE_NOENDBR
	UNWIND_HINT_FUNC
	movq	(8 + \size)(%rsp), %r11
	CALL_DEPTH_ACCOUNT
	ANNOTATE_INTRA_FUNCTION_CALL
	call	1f
	int3
1:	movq	%r11, (%rsp)
	RET
SYM_CODE_END(\name)
_ASM_NOKPROBE(\name)
.endm

DIRECT_SHARED xcap_direct_shared, XCAP_FRAME_SIZE
DIRECT_SHARED xcap_marking_shared, XCAP_FRAME_MARKED_SIZE

/*
 * The function has returned to its slot. \work: it returns how much it did. \wide: it may
 * return a value in two registers, %rax and %rdx. \called: the slot was called. \marks: the call
 * leaves a mark.
 */
.macro DIRECT_RETURN name:req, work=0, wide=0, called=0, marks=0
	.if \marks
	.set	frame_size, XCAP_FRAME_MARKED_SIZE
	.else
	.set	frame_size, XCAP_FRAME_SIZE
	.endif
SYM_CODE_START(\name)
	ANNOTATE_NOENDBR
	.set	sp_at_frame, frame_size + 8 + 8 * \called
	UNWIND_HINT sp_reg=ORC_REG_SP sp_offset=sp_at_frame type=UNWIND_HINT_TYPE_CALL
	movq	%rax, %r10
	.if \wide
	movq	%rdx, %r9
	.endif
	rdtsc
	.if \called
	/*
	 * The processor expects a return to where the slot was called from. This is one:
	 * mispredicted, but soon, and none after it.
	 */
	CALL_DEPTH_ACCOUNT
	leaq	.Lreturned\@(%rip), %rcx
	pushq	%rcx
	RET
.Lreturned\@:
	ANNOTATE_NOENDBR
	UNWIND_HINT sp_reg=ORC_REG_SP sp_offset=sp_at_frame type=UNWIND_HINT_TYPE_CALL
	.endif
	subl	XCAP_FRAME_TSC(%rsp), %eax
	sbbl	(XCAP_FRAME_TSC + 4)(%rsp), %edx
	jne	.Llong\@
	movq	XCAP_FRAME_CELL(%rsp), %r11
	PREEMPT_INC
	movq	CPU(STAMP), %rdx
	cmpq	XCAP_FRAME_STAMP(%rsp), %rdx
	jne	.Lstraddled\@
	movq	%rax, %rsi
	.if \marks
	movq	%rsi, XCAP_FRAME_CYCLES(%rsp)
	.endif
	RECORD	%rsp
	.if \work
	movq	%r10, %r8
	andq	CELL(WORK_MASK), %r8
	addq	%r8, CELL(WORK)
	.endif
	incq	CELL(DONE)
.Lrecorded\@:
	.if \marks
	movq	%rsp, %rdi
	movq	%r10, %rsi
	pushq	%r10
	pushq	%r9
	call	xcap_mark_leave
	popq	%r9
	popq	%r10
	.endif
	PREEMPT_DEC
	jz	.Lpreempt\@
.Lreturn\@:
	addq	$(frame_size + 8 * \called), %rsp
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
	.if \marks
	movq	%rsi, XCAP_FRAME_CYCLES(%rdi)
	.endif
	movq	%r10, %rdx
	call	xcap_record_slow
	popq	%r9
	popq	%r10
	jmp	.Lrecorded\@
SYM_CODE_END(\name)
_ASM_NOKPROBE(\name)
.endm

DIRECT_RETURN xcap_direct_return
DIRECT_RETURN xcap_direct_return_work work=1
DIRECT_RETURN xcap_direct_return_wide wide=1
DIRECT_RETURN xcap_direct_called_return called=1
DIRECT_RETURN xcap_direct_called_return_work work=1 called=1
DIRECT_RETURN xcap_direct_called_return_wide wide=1 called=1
DIRECT_RETURN xcap_marking_return wide=1 marks=1
DIRECT_RETURN xcap_marking_return_work work=1 wide=1 marks=1
DIRECT_RETURN xcap_marking_called_return wide=1 called=1 marks=1
DIRECT_RETURN xcap_marking_called_return_work work=1 wide=1 called=1 marks=1
