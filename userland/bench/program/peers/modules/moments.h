/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What both modules measure: count, sum and sum of squares of a function's
 * durations in TSC cycles, per CPU; 64 bits each, as in the paper.
 */
#include <linux/module.h>
#include <linux/percpu.h>
#include <asm/tsc.h>

struct moments {
	u64 count, sum, sum_of_squares;
};

static DEFINE_PER_CPU(struct moments, moments);

static __always_inline void record(u64 entered)
{
	u64 spent = rdtsc() - entered;

	this_cpu_inc(moments.count);
	this_cpu_add(moments.sum, spent);
	this_cpu_add(moments.sum_of_squares, spent * spent);
}

static int stats_get(char *buffer, const struct kernel_param *parameter)
{
	struct moments all = {};
	int cpu;

	for_each_possible_cpu(cpu) {
		const struct moments *one = per_cpu_ptr(&moments, cpu);

		all.count += one->count;
		all.sum += one->sum;
		all.sum_of_squares += one->sum_of_squares;
	}
	return sysfs_emit(buffer, "%llu %llu %llu\n", all.count, all.sum, all.sum_of_squares);
}

static const struct kernel_param_ops stats_ops = { .get = stats_get };
module_param_cb(stats, &stats_ops, NULL, 0444);
MODULE_PARM_DESC(stats, "count, sum and sum of squares, so far");

static char *symbol = "__x64_sys_umask";
module_param(symbol, charp, 0444);
MODULE_PARM_DESC(symbol, "the function that is timed");

MODULE_LICENSE("GPL");
