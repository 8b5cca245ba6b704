// SPDX-License-Identifier: GPL-2.0
/* A function's durations, by fprobe. */
#include <linux/fprobe.h>

#include "moments.h"

struct call {
	u64 entered;
};

static int on_entry(struct fprobe *probe, unsigned long ip, unsigned long return_ip,
		    struct ftrace_regs *regs, void *data)
{
	struct call *call = data;

	call->entered = rdtsc();
	return 0;
}

static void on_return(struct fprobe *probe, unsigned long ip, unsigned long return_ip,
		      struct ftrace_regs *regs, void *data)
{
	struct call *call = data;

	record(call->entered);
}

static struct fprobe probe = {
	.entry_handler = on_entry,
	.exit_handler = on_return,
	.entry_data_size = sizeof(struct call),
};

static int __init c_fprobe_init(void)
{
	const char *symbols[] = { symbol };

	return register_fprobe_syms(&probe, symbols, 1);
}
module_init(c_fprobe_init);

static void __exit c_fprobe_exit(void)
{
	unregister_fprobe(&probe);
}
module_exit(c_fprobe_exit);

MODULE_DESCRIPTION("Times a function by fprobe");
