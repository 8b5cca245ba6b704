// SPDX-License-Identifier: GPL-2.0
/*
 * xcap_places: by which call stacks a thread comes to the places at which fault
 * injection can have it fail, while fail-nth counts them.
 *
 *   echo TID >/sys/kernel/debug/xcap_places/thread
 *   cat /sys/kernel/debug/xcap_places/stacks	# a number for each place
 *   echo 0 >/sys/kernel/debug/xcap_places/count	# forgets them
 *
 * tracefs takes no event there: lib/fault-inject.c is compiled without ftrace.
 */
#include <linux/debugfs.h>
#include <linux/hash.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/stacktrace.h>

#define MOST_PLACES	(1 << 16)
#define DEPTH		48

static u32 thread;
static u32 numbers[MOST_PLACES];
static struct debugfs_u32_array stacks = { .array = numbers };
static struct dentry *folder;

/* Of offsets in pages: a module that is loaded anew has the same. */
static u32 number_of(unsigned long caller)
{
	unsigned long frames[DEPTH];
	unsigned int count = stack_trace_save(frames, DEPTH, 0);
	unsigned int first = 0;
	u32 number = 0;

	/* What is above is this probe's way here. */
	while (first < count && frames[first] != caller)
		first++;
	if (first == count)
		first = 0;
	for (; first < count; first++)
		number = hash_32(number ^ offset_in_page(frames[first]), 32);
	return number;
}

static int asked(struct kprobe *probe, struct pt_regs *regs)
{
	u32 count = stacks.n_elements;

	if (current->pid != READ_ONCE(thread) || !current->fail_nth)
		return 0;
	/* An interrupt's allocations aren't counted. */
	if (preempt_count() & SOFTIRQ_OFFSET || count >= MOST_PLACES)
		return 0;
	numbers[count] = number_of(*(unsigned long *)regs->sp);
	stacks.n_elements = count + 1;
	return 0;
}
NOKPROBE_SYMBOL(asked);

/* A probe that has this is not optimized: stacks are not followed through a jump's trampoline. */
static void after(struct kprobe *probe, struct pt_regs *regs, unsigned long flags)
{
}
NOKPROBE_SYMBOL(after);

static struct kprobe probe = {
	.symbol_name = "should_fail_ex",
	.pre_handler = asked,
	.post_handler = after,
};

static int __init places_init(void)
{
	int error = register_kprobe(&probe);

	if (error)
		return error;
	folder = debugfs_create_dir("xcap_places", NULL);
	debugfs_create_u32("thread", 0600, folder, &thread);
	debugfs_create_u32("count", 0600, folder, &stacks.n_elements);
	debugfs_create_u32_array("stacks", 0400, folder, &stacks);
	return 0;
}
module_init(places_init);

static void __exit places_exit(void)
{
	debugfs_remove(folder);
	unregister_kprobe(&probe);
}
module_exit(places_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Call stacks of the places at which fault injection can strike");
