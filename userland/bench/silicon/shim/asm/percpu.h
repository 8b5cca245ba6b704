/* SPDX-License-Identifier: GPL-2.0 */
#define PER_CPU_VAR(variable)	%gs:(variable)(%rip)
