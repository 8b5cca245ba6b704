// SPDX-License-Identifier: GPL-2.0
/* A function's durations, by kretprobe. */
#include <linux/kprobes.h>

#include "moments.h"

struct call {
	u64 entered;
};

static int on_entry(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct call *call = (void *)instance->data;

	call->entered = rdtsc();
	return 0;
}
NOKPROBE_SYMBOL(on_entry);

static int on_return(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct call *call = (void *)instance->data;

	record(call->entered);
	return 0;
}
NOKPROBE_SYMBOL(on_return);

static struct kretprobe probe = {
	.entry_handler = on_entry,
	.handler = on_return,
	.data_size = sizeof(struct call),
};

static int __init c_kretprobe_init(void)
{
	probe.kp.symbol_name = symbol;
	return register_kretprobe(&probe);
}
module_init(c_kretprobe_init);

static void __exit c_kretprobe_exit(void)
{
	unregister_kretprobe(&probe);
}
module_exit(c_kretprobe_exit);

MODULE_DESCRIPTION("Times a function by kretprobe");
