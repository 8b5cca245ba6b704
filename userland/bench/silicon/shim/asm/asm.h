/* SPDX-License-Identifier: GPL-2.0 */
#define _ASM_NOKPROBE(name)
