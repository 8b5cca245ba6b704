/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where things lie in the memory that assembly and Rust share: byte offsets.
 * kmod/totals.rs asserts that no two words of a cell are in one place,
 * kmod/cell.rs that its structures agree.
 */
#ifndef XCAP_CELL_H
#define XCAP_CELL_H

/*
 * One probe's counters on one CPU (`Cell`). abi/src/figures.rs says what becomes
 * of each; a word that it names is reset with the others.
 */
#define XCAP_CELL_ENTRIES		0
#define XCAP_CELL_DONE			8	/* samples whose recording is complete */
#define XCAP_CELL_SUM			16
#define XCAP_CELL_SUMSQ			24	/* 128 bits */
#define XCAP_CELL_MIN			40	/* of samples that are not 0 */
#define XCAP_CELL_MAX			48
#define XCAP_CELL_SELF_SUM		56
#define XCAP_CELL_NESTED_OUTSIDE	64
#define XCAP_CELL_NESTED_COST		72
#define XCAP_CELL_WORK			80
#define XCAP_CELL_WORK_MASK		88	/* what of the return value is work */
#define XCAP_CELL_COSTS			96	/* of a hit: outside its sample; high half, in all */
#define XCAP_CELL_PENDING		104	/* bucket of the last sample, not yet counted (hot_path.S) */
#define XCAP_CELL_STRADDLED		112
#define XCAP_CELL_NEGATIVE		120
#define XCAP_CELL_MIGRATED		128
#define XCAP_CELL_SWITCHED		136
#define XCAP_CELL_ZEROS			144	/* samples of 0 */
#define XCAP_CELL_MARKING		152	/* how calls leave marks (kmod/marking.rs) */
#define XCAP_CELL_OUT_OF_SCOPE		160	/* calls that were turned away */
#define XCAP_CELL_SCOPE			168	/* how calls tell whose they are (kmod/scope.rs) */
#define XCAP_CELL_SCOPE_SUBJECT		176	/* whose are in scope */
#define XCAP_CELL_SCOPE_INTERFACE	184
#define XCAP_CELL_AWAY_COSTS		192	/* of a call that is turned away, as COSTS */
#define XCAP_CELL_HISTOGRAM		256

/* What travels with one call (`Frame`). */
#define XCAP_FRAME_TSC			0
#define XCAP_FRAME_OVERHEAD		8
#define XCAP_FRAME_NESTED		16
#define XCAP_FRAME_STAMP		24
#define XCAP_FRAME_CELL			32
#define XCAP_FRAME_SIZE			40

/* What is kept beside it where a call leaves a mark (`MarkedFrame`). */
#define XCAP_FRAME_NUMBER		40
#define XCAP_FRAME_FLAGS		48
#define XCAP_FRAME_CYCLES		56
#define XCAP_FRAME_MARKED_SIZE		64

/* One CPU's running totals (`xcap_cpu`). */
#define XCAP_CPU_STAMP			0
#define XCAP_CPU_NESTED			8
#define XCAP_CPU_OVERHEAD		16
#define XCAP_CPU_ENTRY			24	/* what a call keeps as its stamp */
#define XCAP_CPU_OPENED			32	/* the first stamp that counts */

/* How many functions the direct backend can time at once. */
#define XCAP_DIRECT_SLOTS		512
#define XCAP_DIRECT_SLOT_SIZE		128

/* Of these, with numbers of their own after those, calls leave marks. */
#define XCAP_MARKING_SLOTS		64
#define XCAP_MARKING_SLOT_SIZE		256

/* And these, after those, are for calls that have to be in scope. */
#define XCAP_SCOPED_SLOTS		64
#define XCAP_SCOPED_SLOT_SIZE		256

/* The flags of a call that leaves no mark because it isn't in scope: no mark's. */
#define XCAP_OUT_OF_SCOPE		-2

#endif
