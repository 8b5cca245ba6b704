/* SPDX-License-Identifier: GPL-2.0 */
/* As patched on a CPU that has the feature: xcap_silicon refuses to run on others. */
.macro ALTERNATIVE old, new, feature
	\new
.endm
