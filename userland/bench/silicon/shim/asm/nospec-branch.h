/* SPDX-License-Identifier: GPL-2.0 */
/* How functions return: plainly, through a thunk, or through a thunk that mispredicts on purpose (safe-ret). */
#if RETURN_FORM == 0
#define RET	ret; int3
#else
#define RET	jmp return_thunk
#endif
/* Only where CONFIG_MITIGATION_CALL_DEPTH_TRACKING is set. */
#define CALL_DEPTH_ACCOUNT
#define INCREMENT_CALL_DEPTH
