// SPDX-License-Identifier: GPL-2.0
/*
 * xcap_livepatch: a live patch that has xcap_target_10 count its calls.
 *
 *   cat /sys/module/xcap_livepatch/parameters/calls
 */
#include <linux/livepatch.h>
#include <linux/module.h>

static ulong calls;
module_param(calls, ulong, 0444);
MODULE_PARM_DESC(calls, "how often the patched function was called");

static void patched(void)
{
	calls++;
}

static struct klp_func functions[] = {
	{ .old_name = "xcap_target_10", .new_func = patched },
	{ }
};

static struct klp_object objects[] = {
	{ .name = "xcap_targets", .funcs = functions },
	{ }
};

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objects,
};

static int __init xcap_livepatch_init(void)
{
	return klp_enable_patch(&patch);
}
module_init(xcap_livepatch_init);

/* Without an exit the patch could not be taken off. */
static void __exit xcap_livepatch_exit(void)
{
}
module_exit(xcap_livepatch_exit);

MODULE_DESCRIPTION("A live patch of xcap_targets");
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
