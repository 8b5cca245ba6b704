/* SPDX-License-Identifier: GPL-2.0 */
#define ORC_REG_SP 0
#define UNWIND_HINT_FUNC
.macro UNWIND_HINT type=0 sp_reg=0 sp_offset=0 signal=0
.endm
.macro UNWIND_HINT_SAVE
.endm
.macro UNWIND_HINT_RESTORE
.endm
