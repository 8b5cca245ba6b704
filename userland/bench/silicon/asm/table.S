/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the program finds of a unit: `Unit` in src/unit.rs.
 */
	.section .rodata, "a"
	.balign 8
	.globl	UNIT
UNIT:
	.quad	scramble
	.quad	xcap_direct_slots
	.quad	xcap_direct_slots_layout
	.quad	xcap_direct_shared
	.quad	xcap_direct_return
	.quad	xcap_direct_called_return
	.quad	floor
	.quad	bpf_fexit_call
	.quad	bpf_fexit_jump
	.quad	fgraph
	.quad	rethook
	.quad	leaf_0
	.irp work, SILICON_WORK
	.quad	leaf_plain_\work, leaf_dependent_\work, leaf_fenced_\work, leaf_clocked_\work
	.endr
	.quad	driver_leaf
	.quad	leaf_known, driver_known
	.irp callers, straight, loop, mixed
	.irp depth, SILICON_DEPTHS
	.quad	\callers\()_\depth
	.endr
	.endr
	.irp depth, SILICON_DEPTHS
	.quad	outer_\depth\()_0, nested_\depth\()_0
	.irp work, SILICON_WORK
	.quad	outer_\depth\()_plain_\work, nested_\depth\()_plain_\work
	.quad	outer_\depth\()_dependent_\work, nested_\depth\()_dependent_\work
	.quad	outer_\depth\()_fenced_\work, nested_\depth\()_fenced_\work
	.quad	outer_\depth\()_clocked_\work, nested_\depth\()_clocked_\work
	.endr
	.endr
