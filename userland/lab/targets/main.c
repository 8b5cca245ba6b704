// SPDX-License-Identifier: GPL-2.0
/*
 * xcap_targets: functions of exactly known length, to be called as often as is
 * wished. For tests and benchmarks; no part of xcap.
 *
 *   echo NAME COUNT [ARGUMENT] > /sys/kernel/debug/xcap_targets/call
 *   cat /sys/kernel/debug/xcap_targets/call       NAME COUNT CYCLES of the last
 *   cat /sys/kernel/debug/xcap_targets/functions  NAME LENGTH of each
 */
#include <linux/cleanup.h>
#include <linux/debugfs.h>
#include <linux/irqflags.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <asm/tsc.h>

#include "functions.h"

static const struct target {
	const char *name;
	/* One of the two. */
	void (*plain)(void);
	void (*with_argument)(unsigned long argument);
	bool sleeps;
	/* Called with interrupts on. */
	bool disturbed;
	/* -1: not known, or not the same for each call. */
	long length;
} targets[] = {
	{ "xcap_target_0", .plain = xcap_target_0, .length = 0 },
	{ "xcap_target_10", .plain = xcap_target_10, .length = 10 },
	{ "xcap_target_100", .plain = xcap_target_100, .length = 100 },
	{ "xcap_target_1000", .plain = xcap_target_1000, .length = 1000 },
	{ "xcap_target_100000", .plain = xcap_target_100000, .length = 100000 },
	{ "xcap_target_nest", .plain = xcap_target_nest, .length = XCAP_NEST_LENGTH },
	{ "xcap_target_under_1", .plain = xcap_target_under_1, .length = -1 },
	{ "xcap_target_under_8", .plain = xcap_target_under_8, .length = -1 },
	{ "xcap_target_recurse", .with_argument = xcap_target_recurse,
	  .length = -1 },
	{ "xcap_target_disturbed", .plain = xcap_target_disturbed, .disturbed = true,
	  .length = -1 },
	{ "xcap_target_sleep", .with_argument = xcap_target_sleep,
	  .sleeps = true, .length = -1 },
};

static DEFINE_MUTEX(last_lock);
static struct {
	const struct target *target;
	unsigned long count;
	u64 cycles;
} last;

static const struct target *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++)
		if (!strcmp(targets[i].name, name))
			return &targets[i];
	return NULL;
}

/* No interrupt is in the length. */
static void call_undisturbed(const struct target *target, unsigned long argument)
{
	guard(irqsave)();
	if (target->plain)
		target->plain();
	else
		target->with_argument(argument);
}

static void call(const struct target *target, unsigned long count, unsigned long argument)
{
	u64 begin = rdtsc_ordered();

	for (unsigned long i = 0; i < count; i++) {
		if (target->sleeps)
			target->with_argument(argument);
		else if (target->disturbed)
			target->plain();
		else
			call_undisturbed(target, argument);
	}
	begin = rdtsc_ordered() - begin;

	guard(mutex)(&last_lock);
	last.target = target;
	last.count = count;
	last.cycles = begin;
}

static ssize_t call_write(struct file *file, const char __user *buffer, size_t size, loff_t *at)
{
	const struct target *target;
	unsigned long count, argument = 0;
	char line[80], name[40];

	if (size >= sizeof(line))
		return -EINVAL;
	if (copy_from_user(line, buffer, size))
		return -EFAULT;
	line[size] = '\0';
	if (sscanf(line, "%39s %lu %lu", name, &count, &argument) < 2)
		return -EINVAL;
	target = find(name);
	if (!target)
		return -ENOENT;
	call(target, count, argument);
	return size;
}

static int call_show(struct seq_file *out, void *data)
{
	guard(mutex)(&last_lock);
	if (last.target)
		seq_printf(out, "%s %lu %llu\n", last.target->name, last.count, last.cycles);
	return 0;
}

static int call_open(struct inode *inode, struct file *file)
{
	return single_open(file, call_show, NULL);
}

static const struct file_operations call_fops = {
	.owner = THIS_MODULE,
	.open = call_open,
	.read = seq_read,
	.write = call_write,
	.llseek = seq_lseek,
	.release = single_release,
};

static int functions_show(struct seq_file *out, void *data)
{
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++)
		if (targets[i].length >= 0)
			seq_printf(out, "%s %ld\n", targets[i].name, targets[i].length);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(functions);

static struct dentry *folder;

static int __init xcap_targets_init(void)
{
	folder = debugfs_create_dir("xcap_targets", NULL);
	debugfs_create_file("call", 0600, folder, NULL, &call_fops);
	debugfs_create_file("functions", 0400, folder, NULL, &functions_fops);
	return 0;
}
module_init(xcap_targets_init);

static void __exit xcap_targets_exit(void)
{
	debugfs_remove(folder);
}
module_exit(xcap_targets_exit);

MODULE_DESCRIPTION("Functions of exactly known length");
MODULE_LICENSE("GPL");
