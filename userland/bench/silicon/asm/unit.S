/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The module's hot path, functions to probe with it, and what other mechanisms do in its place;
 * once for each form of return (RETURN_FORM).
 */
#include "hot_path.S"

	.text
#if RETURN_FORM == 1
	/* __x86_return_thunk where no mitigation replaces it. */
	.balign 64
return_thunk:
	ret
	int3
#elif RETURN_FORM == 2
	/* srso_return_thunk: each return is one that the predictor was just taught a wrong target for. */
	.balign 64
return_thunk:
	call	safe_ret
	ud2
safe_ret:
	leaq	8(%rsp), %rsp
	ret
	int3
#endif

#include "chains.S"
#include "shapes.S"
#include "table.S"

	.section .note.GNU-stack, "", @progbits
