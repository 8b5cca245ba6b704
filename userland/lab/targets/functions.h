/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Functions of exactly known length.
 *
 * The length of a function is the number of instructions that a call executes
 * between the tracer's place at its entry and its return: what an empty
 * function has none of. A call of a function that is itself one of these is
 * XCAP_CALL_LENGTH more than what that function's length is.
 */
#ifndef XCAP_TARGETS_FUNCTIONS_H
#define XCAP_TARGETS_FUNCTIONS_H

/* call, endbr, the tracer's place, return. */
#define XCAP_CALL_LENGTH	4

/* Length as named. */
void xcap_target_0(void);
void xcap_target_10(void);
void xcap_target_100(void);
void xcap_target_1000(void);
void xcap_target_100000(void);

/* Ten instructions, xcap_target_100, ten instructions. */
void xcap_target_nest(void);
#define XCAP_NEST_LENGTH	(20 + XCAP_CALL_LENGTH + 100)

/* Calls itself `depth` times, one in the other; each level is this long without its call. */
void xcap_target_recurse(unsigned long depth);
#define XCAP_RECURSE_LEAF_LENGTH	3
#define XCAP_RECURSE_LEVEL_LENGTH	(20 + XCAP_CALL_LENGTH)

/* xcap_target_0 below so many functions. */
void xcap_target_under_1(void);
void xcap_target_under_2(void);
void xcap_target_under_3(void);
void xcap_target_under_4(void);
void xcap_target_under_5(void);
void xcap_target_under_6(void);
void xcap_target_under_7(void);
void xcap_target_under_8(void);

/* As xcap_target_10, called with interrupts on. */
void xcap_target_disturbed(void);

/* Sleeps, or returns when a signal comes. */
void xcap_target_sleep(unsigned long milliseconds);

#endif
