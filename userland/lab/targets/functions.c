// SPDX-License-Identifier: GPL-2.0
/*
 * The bodies are assembly, so that the compiler adds nothing; the entries are
 * the compiler's, so that ftrace knows them.
 */
#include <linux/delay.h>
#include <linux/linkage.h>
#include <linux/stringify.h>

#include "functions.h"

#define NOPS(count)	".rept " __stringify(count) "\n\tnop\n\t.endr\n\t"

/* 2 * turns + 1 instructions. */
#define LOOP(turns)	"movl $" __stringify(turns) ", %%eax\n" \
			"1:\tdecl %%eax\n\tjnz 1b\n\t"

#define TARGET	__used __attribute__((noipa)) void

TARGET xcap_target_0(void)
{
	asm volatile("");
}

TARGET xcap_target_10(void)
{
	asm volatile(NOPS(10));
}

TARGET xcap_target_100(void)
{
	asm volatile(NOPS(100));
}

TARGET xcap_target_1000(void)
{
	asm volatile(NOPS(1000));
}

TARGET xcap_target_100000(void)
{
	asm volatile(LOOP(49999) "nop" ::: "eax", "cc");
}

TARGET xcap_target_nest(void)
{
	asm volatile(NOPS(10));
	xcap_target_100();
	asm volatile(NOPS(10));
}

/* In assembly as a whole but for its entry: the compiler would make a loop of it. */
TARGET xcap_target_recurse(unsigned long depth)
{
	asm volatile("subq $1, %%rdi\n\t"
		     "jb 1f\n\t"
		     NOPS(17)
		     "call xcap_target_recurse\n\t"
		     "1:\n\t"
		     "nop"
		     ::: "rdi", "cc", "memory");
}

/* The statement after it keeps the call from becoming a jump. */
#define UNDER(depth, callee) \
	TARGET xcap_target_under_##depth(void) \
	{ \
		callee(); \
		asm volatile(""); \
	}

UNDER(1, xcap_target_0)
UNDER(2, xcap_target_under_1)
UNDER(3, xcap_target_under_2)
UNDER(4, xcap_target_under_3)
UNDER(5, xcap_target_under_4)
UNDER(6, xcap_target_under_5)
UNDER(7, xcap_target_under_6)
UNDER(8, xcap_target_under_7)

TARGET xcap_target_disturbed(void)
{
	asm volatile(NOPS(10));
}

TARGET xcap_target_sleep(unsigned long milliseconds)
{
	msleep_interruptible(milliseconds);
}
