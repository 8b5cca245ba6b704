/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Functions to probe, under chains of callers. A function to probe begins with the five bytes
 * that ftrace replaces by a call or a jump.
 */

#define LOOP_HITS	8

.macro SITE
	.byte	0x0f, 0x1f, 0x44, 0x00, 0x00
.endm

	/*
	 * Functions of known length. Of \work multiplications, each of which waits for the last: the
	 * end runs beside what comes after it; between fences it does not. The first waits for
	 * nothing, or, as few functions have it, for the clock's last reading. And of instructions
	 * that do nothing and take about as long to be fetched: their end is where the next
	 * begins. They are in a loop: more in a row than the processor keeps decoded would take
	 * longer whenever others displaced them.
	 */
#define NOPS_A_MULTIPLICATION	18
#define MULTIPLICATIONS_A_ROUND	50

#define PLAIN		0
#define DEPENDENT	1
#define FENCED		2
#define CLOCKED		3

.macro NOPS multiplications:req
	.rept	NOPS_A_MULTIPLICATION * (\multiplications)
	nopl	0(%rax)
	.endr
.endm

.macro LEAF name:req, work:req, kind:req
	.balign 64
leaf_\name:
	SITE
leaf_rest_\name:
	.if \kind == PLAIN
	.if \work >= MULTIPLICATIONS_A_ROUND
	movl	$(\work / MULTIPLICATIONS_A_ROUND), %ecx
	.balign 64
1:	NOPS	MULTIPLICATIONS_A_ROUND
	decl	%ecx
	jnz	1b
	.endif
	NOPS	(\work % MULTIPLICATIONS_A_ROUND)
	.elseif \kind == CLOCKED
	/* The clock's reading is in %rax. */
	.rept \work
	imulq	%rax, %rax
	.endr
	.else
	.if \kind == FENCED
	lfence
	.endif
	movl	$3, %ecx
	.rept \work
	imulq	%rcx, %rcx
	.endr
	.if \kind == FENCED
	lfence
	.endif
	.endif
	RET
.endm
	LEAF 0, 0, PLAIN
.irp work, SILICON_WORK
	LEAF plain_\work, \work, PLAIN
	LEAF dependent_\work, \work, DEPENDENT
	LEAF fenced_\work, \work, FENCED
	LEAF clocked_\work, \work, CLOCKED
.endr
	/* What calibration takes: xcap_known() in kmod/helpers.c. */
	LEAF known, 100, DEPENDENT

	.balign 16
helper:
	nop
	RET

.macro BEGIN
	.balign 16
	.set	here, .
.endm
.macro END
	RET
	.set	callee, here
.endm

.macro STRAIGHT levels:req
	.rept \levels
	BEGIN
	call	callee
	END
	.endr
.endm

	/* The innermost caller hits again and again. */
.macro LOOP levels:req
	BEGIN
	pushq	%rbp
	movl	$LOOP_HITS, %ebp
1:	call	callee
	decl	%ebp
	jnz	1b
	popq	%rbp
	END
	STRAIGHT (\levels-1)
.endm

	/* Callers have other callees, some of them now and then (%rbx counts the driver's calls). */
.macro MIXED levels:req
	.set	level, 0
	.rept \levels
	BEGIN
	pushq	%rbp
	.if level & 1
	testb	$1, %bl
	jz	1f
	call	helper
1:	call	callee
	call	helper
	.else
	movl	$2, %ebp
1:	call	helper
	decl	%ebp
	jnz	1b
	call	callee
	.endif
	popq	%rbp
	END
	.set	level, level + 1
	.endr
.endm

	/* void driver(u64 calls): what is called is `callee`. */
.macro DRIVER name:req
	.balign 64
\name:
	pushq	%rbx
	movq	%rdi, %rbx
	/* Callees that a mechanism may lose: the compiler's. */
	pushq	%rbp
	pushq	%r12
1:	call	callee
	decq	%rbx
	jnz	1b
	popq	%r12
	popq	%rbp
	popq	%rbx
	ret
.endm

	/* No call at all is as deep as this: what the driver itself takes. */
	.set	callee, leaf_0
DRIVER driver_leaf
	.set	callee, leaf_known
DRIVER driver_known

.irp depth, SILICON_DEPTHS
	.set	callee, leaf_0
	STRAIGHT \depth
DRIVER straight_\depth
	.set	callee, leaf_0
	LOOP \depth
DRIVER loop_\depth
	.set	callee, leaf_0
	MIXED \depth
DRIVER mixed_\depth
.endr

	/* The outermost caller of a leaf of known length can be probed, too. */
.macro NESTED depth:req, leaf:req
	.set	callee, leaf_\leaf
	STRAIGHT \depth
	.balign 64
outer_\depth\()_\leaf:
	SITE
	call	callee
	RET
	.set	callee, outer_\depth\()_\leaf
DRIVER nested_\depth\()_\leaf
.endm
.irp depth, SILICON_DEPTHS
	NESTED \depth, 0
	.irp work, SILICON_WORK
	NESTED \depth, plain_\work
	NESTED \depth, dependent_\work
	NESTED \depth, fenced_\work
	NESTED \depth, clocked_\work
	.endr
.endr

	/* Makes predictors and the instruction cache forget: many branches, no two alike. */
	.balign 64
scramble:
	pushq	%rbx
	movq	%rdi, %rbx
	.set	branch, 0
	.rept 4096
	btq	$(branch & 63), %rbx
	jc	1f
	imulq	$0x5bd1e995, %rbx, %rbx
1:	call	2f
2:	addq	$8, %rsp
	incq	%rbx
	.balign 32
	.set	branch, branch + 7
	.endr
	popq	%rbx
	ret
