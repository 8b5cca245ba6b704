// SPDX-License-Identifier: GPL-2.0
/*
 * xcap_rival: another direct user of a function, as a BPF fentry program is.
 * For tests; no part of xcap.
 *
 *   insmod xcap_rival.ko function=NAME
 *   cat /sys/module/xcap_rival/parameters/hits
 */
#include <linux/ftrace.h>
#include <linux/linkage.h>
#include <linux/module.h>
#include <linux/string.h>
#include <asm/ibt.h>
#include <asm/nospec-branch.h>

static char *function;
module_param(function, charp, 0444);
MODULE_PARM_DESC(function, "The function to take");

unsigned long xcap_rival_hits;
module_param_named(hits, xcap_rival_hits, ulong, 0444);

void xcap_rival_trampoline(void);

asm(".pushsection .text, \"ax\", @progbits\n\t"
    ".type xcap_rival_trampoline, @function\n\t"
    ".globl xcap_rival_trampoline\n"
    "xcap_rival_trampoline:\n\t"
    ASM_ENDBR
    "lock incq xcap_rival_hits(%rip)\n\t"
    ASM_RET
    ".size xcap_rival_trampoline, .-xcap_rival_trampoline\n\t"
    ".popsection");

static struct ftrace_ops rival;

static int __init xcap_rival_init(void)
{
	int error;

	if (!function)
		return -EINVAL;
	error = ftrace_set_filter(&rival, function, strlen(function), 0);
	if (error)
		return error;
	error = register_ftrace_direct(&rival, (unsigned long)xcap_rival_trampoline);
	if (error)
		ftrace_free_filter(&rival);
	return error;
}
module_init(xcap_rival_init);

static void __exit xcap_rival_exit(void)
{
	unregister_ftrace_direct(&rival, (unsigned long)xcap_rival_trampoline, true);
}
module_exit(xcap_rival_exit);

MODULE_DESCRIPTION("Another direct user of a function");
MODULE_LICENSE("GPL");
