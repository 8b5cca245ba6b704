/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What other mechanisms do at the entry and the return of a function, written from how they are
 * documented and reduced to the least that a tool can do with them: count the calls and add up
 * their cycles. What they call on the way (recursion guards, lookups, rings) is left out: the real
 * ones cost more.
 */

#define SHAPE(field)	PER_CPU_VAR(silicon_sum + field)
#define SHAPE_COUNT	0
#define SHAPE_SUM	8
#define SHAPE_TOP	16

	/* The sample's begin, as a program that a trampoline calls takes it. Clobbers %rax, %rdx. */
.macro NOW
	rdtsc
	shlq	$32, %rdx
	orq	%rdx, %rax
.endm
.macro COUNT since:req
	NOW
	subq	\since, %rax
	incq	SHAPE(SHAPE_COUNT)
	addq	%rax, SHAPE(SHAPE_SUM)
.endm

	/* No mechanism: the two clock readings that any needs, in the probed function's place. */
	.balign 64
floor:
	rdtsc
	movl	%eax, %ecx
	rdtsc
	subl	%ecx, %eax
	RET

	/*
	 * A BPF trampoline with a program at the entry and one at the exit: a frame, the arguments
	 * kept in it, the rest of the function called, its value returned to the caller. Entered
	 * by a call, it has an address to drop.
	 */
.macro BPF_FEXIT name:req, called:req
	.balign 64
\name:
	pushq	%rbp
	movq	%rsp, %rbp
	subq	$48, %rsp
	movq	%rdi, -8(%rbp)
	movq	%rbx, -32(%rbp)
	leaq	-8(%rbp), %rdi
	call	bpf_entry_program
	movq	-8(%rbp), %rdi
	call	leaf_rest_0
	movq	%rax, -16(%rbp)
	leaq	-8(%rbp), %rdi
	call	bpf_exit_program
	movq	-16(%rbp), %rax
	movq	-32(%rbp), %rbx
	leave
	.if \called
	addq	$8, %rsp
	.endif
	RET
.endm
BPF_FEXIT bpf_fexit_call called=1
BPF_FEXIT bpf_fexit_jump called=0

	.balign 16
bpf_entry_program:
	NOW
	movq	%rax, -16(%rdi)
	RET
	.balign 16
bpf_exit_program:
	COUNT -16(%rdi)
	RET

	/* A stack of returns aside, as a task has: address and time. %r8: the return address's place. */
	.balign 16
divert:
	movq	SHAPE(SHAPE_TOP), %rcx
	movq	(%r8), %rax
	movq	%rax, %gs:(%rcx)
	movq	%r9, (%r8)
	NOW
	movq	%rax, %gs:8(%rcx)
	addq	$16, SHAPE(SHAPE_TOP)
	RET
	/* Gives the true return address in %rax. */
	.balign 16
undivert:
	movq	SHAPE(SHAPE_TOP), %rcx
	subq	$16, %rcx
	COUNT %gs:8(%rcx)
	movq	%rcx, SHAPE(SHAPE_TOP)
	movq	%gs:(%rcx), %rax
	RET

	/* ftrace's own trampoline: registers kept, a callback called, back into the function. */
.macro FTRACE_CALLER name:req, return_to:req
	.balign 64
\name:
	pushq	%rbp
	subq	$168, %rsp
	.irp register, rax, rcx, rdx, rsi, rdi, r8, r9
	movq	%\register, 8 * register_\register(%rsp)
	.endr
	leaq	184(%rsp), %r8
	leaq	\return_to(%rip), %r9
	call	divert
	.irp register, r9, r8, rdi, rsi, rdx, rcx, rax
	movq	8 * register_\register(%rsp), %\register
	.endr
	addq	$168, %rsp
	popq	%rbp
	RET
.endm
	.set	register_r9, 9
	.set	register_r8, 8
	.set	register_rax, 10
	.set	register_rcx, 11
	.set	register_rdx, 12
	.set	register_rsi, 13
	.set	register_rdi, 14

	/* The function graph tracer's: balances the stack of predicted returns by a call of its own. */
	FTRACE_CALLER fgraph, return_to_handler
	.balign 64
return_to_handler:
	subq	$168, %rsp
	movq	%rax, 80(%rsp)
	movq	%rdx, 96(%rsp)
	movq	%rbp, 32(%rsp)
	call	undivert
	movq	%rax, %rdi
	movq	96(%rsp), %rdx
	movq	80(%rsp), %rax
	addq	$168, %rsp
	call	1f
	int3
1:	movq	%rdi, (%rsp)
	RET

	/* rethook's (kretprobes): a whole set of registers, then a return that nothing matches. */
	FTRACE_CALLER rethook, rethook_trampoline
	.balign 64
rethook_trampoline:
	pushq	$0
	pushfq
	.irp register, rdi, rsi, rdx, rcx, rax, r8, r9, r10, r11, rbx, rbp, r12, r13, r14, r15
	pushq	%\register
	.endr
	call	undivert
	movq	%rax, 128(%rsp)
	.irp register, r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi
	popq	%\register
	.endr
	popfq
	RET
