/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the program finds of a unit: `Unit` in src/unit.rs.
 */
	.section .data.rel.ro, "aw"
	.balign 8
	.globl	UNIT
UNIT:
	.quad	chains_begin, chains_end
	.quad	scramble
	.quad	xcap_direct_slots
	.quad	xcap_direct_return
	.quad	floor
	.quad	bpf_fexit_call
	.quad	bpf_fexit_jump
	.quad	fgraph
	.quad	rethook
	.irp work, SILICON_WORK
	.quad	leaf_\work
	.endr
	.quad	driver_leaf
	.irp callers, straight, loop, mixed
	.irp depth, SILICON_DEPTHS
	.quad	\callers\()_\depth
	.endr
	.endr
	.irp depth, SILICON_DEPTHS
	.irp work, SILICON_WORK
	.quad	outer_\depth\()_\work
	.quad	nested_\depth\()_\work
	.endr
	.endr
