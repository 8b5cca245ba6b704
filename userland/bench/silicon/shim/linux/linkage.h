/* SPDX-License-Identifier: GPL-2.0 */
/* Symbols stay within the unit: the same source is assembled more than once into one program. */
#define SYM_L_GLOBAL
#define SYM_L_LOCAL
#define SYM_FUNC_START(name)		.balign 16; name:
#define SYM_FUNC_START_LOCAL(name)	.balign 16; name:
#define SYM_FUNC_START_NOALIGN(name)	name:
#define SYM_FUNC_END(name)
#define SYM_CODE_START(name)		.balign 16; name:
#define SYM_CODE_START_NOALIGN(name)	name:
#define SYM_CODE_END(name)
#define SYM_INNER_LABEL(name, linkage)	name:
#define SYM_INNER_LABEL_ALIGN(name, linkage) .balign 16; name:
#define SYM_DATA_START(name)		name:
#define SYM_DATA_END(name)
