// SPDX-License-Identifier: GPL-2.0
/*
 * Inline functions and macros of the kernel's headers that Rust can reach no
 * other way; and what only a C compiler emits: a function with an ftrace entry.
 */

#include <linux/capability.h>
#include <linux/fprobe.h>
#include <linux/fs.h>
#include <linux/ftrace.h>
#include <linux/irqflags.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/percpu.h>
#include <linux/sched/signal.h>
#include <linux/security.h>
#include <linux/static_call.h>
#include <linux/tracepoint.h>
#include <linux/utsname.h>
#include <linux/workqueue.h>
#include <asm/cpufeature.h>
#include <xen/xen.h>
#ifdef CONFIG_XEN
#include <asm/xen/hypercall.h>
#endif

#include "cell.h"
#include "helpers.h"

DEFINE_PER_CPU(struct xcap_cpu, xcap_cpu);

static_assert(offsetof(struct xcap_cpu, stamp) == XCAP_CPU_STAMP);
static_assert(offsetof(struct xcap_cpu, nested) == XCAP_CPU_NESTED);
static_assert(offsetof(struct xcap_cpu, overhead) == XCAP_CPU_OVERHEAD);
static_assert(offsetof(struct xcap_cpu, entry) == XCAP_CPU_ENTRY);
static_assert(offsetof(struct xcap_cpu, opened) == XCAP_CPU_OPENED);

/* The kernel crate's module parameters are integers only. */
char *xcap_backend = "auto";
module_param_named(backend, xcap_backend, charp, 0444);
MODULE_PARM_DESC(backend, "how functions are hooked: auto, direct, fprobe or kretprobe");

char *xcap_stages = "";
module_param_named(stages, xcap_stages, charp, 0444);
MODULE_PARM_DESC(stages, "which stages are timed, separated by commas (default: all)");

const char *xcap_release(void)
{
	return init_utsname()->release;
}

enum xcap_role xcap_role(void)
{
	if (xen_initial_domain())
		return XCAP_ROLE_DOM0;
	if (xen_pv_domain())
		return XCAP_ROLE_DOMU_PV;
	if (xen_pvh_domain())
		return XCAP_ROLE_DOMU_PVH;
	if (xen_hvm_domain())
		return XCAP_ROLE_DOMU_HVM;
	return XCAP_ROLE_BARE;
}

bool xcap_tsc_invariant(void)
{
	return boot_cpu_has(X86_FEATURE_CONSTANT_TSC) && boot_cpu_has(X86_FEATURE_NONSTOP_TSC);
}

notrace unsigned long xcap_fprobe_argument(struct ftrace_regs *regs, unsigned int index)
{
	return ftrace_regs_get_argument(regs, index);
}
NOKPROBE_SYMBOL(xcap_fprobe_argument);

notrace unsigned long xcap_fprobe_return_value(struct ftrace_regs *regs)
{
	return ftrace_regs_get_return_value(regs);
}
NOKPROBE_SYMBOL(xcap_fprobe_return_value);

void xcap_tracepoint_synchronize(void)
{
	tracepoint_synchronize_unregister();
}

/*
 * The text of the index-th loaded module, found through sysfs' set of modules.
 * Returns 0 past the last one, 1 for one that has no text to show.
 */
unsigned int xcap_module_text(unsigned int index, char *name, unsigned long *base,
			      unsigned long *size)
{
	struct kset *modules = THIS_MODULE->mkobj.kobj.kset;
	struct kobject *kobj;
	unsigned int found = 0;

	spin_lock(&modules->list_lock);
	list_for_each_entry(kobj, &modules->list, entry) {
		struct module *mod = container_of(kobj, struct module_kobject, kobj)->mod;

		if (index--)
			continue;
		found = 1;
		if (mod && mod->state == MODULE_STATE_LIVE) {
			strscpy(name, mod->name, MODULE_NAME_LEN);
			*base = (unsigned long)mod->mem[MOD_TEXT].base;
			*size = mod->mem[MOD_TEXT].size;
		} else {
			*size = 0;
		}
		break;
	}
	spin_unlock(&modules->list_lock);
	return found;
}

/* Some address in the kernel's own text. */
unsigned long xcap_core_text(void)
{
	return (unsigned long)&_printk;
}

unsigned long xcap_irq_save(void)
{
	unsigned long flags;

	local_irq_save(flags);
	return flags;
}

void xcap_irq_restore(unsigned long flags)
{
	local_irq_restore(flags);
}

/*
 * Where the function goes on after what ftrace makes of its entry; 0: ftrace has no
 * entry there. The entry is the function's first instruction or follows its ENDBR, whatever
 * the kernel has made of that. An INT3 is an entry that is being written to.
 */
unsigned long xcap_direct_rest(unsigned long function)
{
	static const u8 nop[] = { 0x0f, 0x1f, 0x44, 0x00, 0x00 };
	const u8 *first = (const u8 *)function;
	const u8 *second = first + ENDBR_INSN_SIZE;

	for (const u8 *code = first; code <= second; code += ENDBR_INSN_SIZE)
		if (!memcmp(code, nop, sizeof(nop)) || *code == CALL_INSN_OPCODE ||
		    *code == JMP32_INSN_OPCODE)
			return (unsigned long)code + MCOUNT_INSN_SIZE;
	for (const u8 *code = first; code <= second; code += ENDBR_INSN_SIZE)
		if (*code == INT3_INSN_OPCODE)
			return (unsigned long)code + MCOUNT_INSN_SIZE;
	return 0;
}

static u8 *direct_slot(unsigned int slot, const struct xcap_direct_layout **layout)
{
	if (slot < XCAP_DIRECT_SLOTS) {
		*layout = &xcap_direct_slots_layout;
		return xcap_direct_slots + slot * XCAP_DIRECT_SLOT_SIZE;
	}
	slot -= XCAP_DIRECT_SLOTS;
	if (slot < XCAP_MARKING_SLOTS) {
		*layout = &xcap_marking_slots_layout;
		return xcap_marking_slots + slot * XCAP_MARKING_SLOT_SIZE;
	}
	slot -= XCAP_MARKING_SLOTS;
	*layout = &xcap_scoped_slots_layout;
	return xcap_scoped_slots + slot * XCAP_SCOPED_SLOT_SIZE;
}

/* A slot's address, as ftrace has it. */
unsigned long xcap_direct_entry(unsigned int slot, bool jumps)
{
	const struct xcap_direct_layout *layout;

	/* Bit 0 says so: ftrace_jmp_set(), where there is one. */
	return (unsigned long)direct_slot(slot, &layout) | jumps;
}

/*
 * Has a slot that nobody is in call `rest`, and then go on at `back`; at `away`, where a call is
 * out of scope.
 */
void xcap_direct_aim(unsigned int slot, void *rest, void *back, void *away)
{
	const struct xcap_direct_layout *layout;
	u8 *at = direct_slot(slot, &layout);
	bool counted = boot_cpu_has(X86_FEATURE_CALL_DEPTH);

	arch_static_call_transform(at + layout->rest, NULL, rest, true);
	arch_static_call_transform(at + layout->call, NULL,
				   counted ? at + layout->counted : rest, false);
	arch_static_call_transform(at + layout->back, NULL, back, true);
	if (layout->away)
		arch_static_call_transform(at + layout->away, NULL, away, true);
}

static int direct_command(struct ftrace_ops *ops, enum ftrace_ops_cmd command)
{
	switch (command) {
	case FTRACE_OPS_CMD_ENABLE_SHARE_IPMODIFY_SELF:
		return xcap_direct_share(ops, false);
	case FTRACE_OPS_CMD_ENABLE_SHARE_IPMODIFY_PEER:
		return xcap_direct_share(ops, true);
	default:
		/* What shares goes on working alone. */
		return 0;
	}
}

static int __maybe_unused direct_command_at(struct ftrace_ops *ops, unsigned long ip,
					    enum ftrace_ops_cmd command)
{
	return direct_command(ops, command);
}

/* Lets others change where the function goes on, who ask. Newer kernels say which function. */
void xcap_direct_may_share(struct ftrace_ops *ops)
{
	ops->ops_func = __builtin_choose_expr(
		__builtin_types_compatible_p(ftrace_ops_func_t, typeof(&direct_command)),
		direct_command, direct_command_at);
}

/*
 * A file of sysfs, to be read, whatever the current task (or a worker) has for a root folder;
 * or an ERR_PTR().
 */
struct file *xcap_sysfs_open(const char *path)
{
	struct file_system_type *type = get_fs_type("sysfs");
	struct vfsmount *sysfs;
	struct file *file;

	if (!type)
		return ERR_PTR(-ENODEV);
	sysfs = kern_mount(type);
	if (IS_ERR(sysfs))
		return ERR_CAST(sysfs);
	file = file_open_root_mnt(sysfs, path, O_RDONLY, 0);
	/* An open file keeps what it is in. */
	kern_unmount(sysfs);
	return file;
}

static void attend(struct work_struct *work)
{
	xcap_attend();
}

static DECLARE_DELAYED_WORK(attendance, attend);

/* Has a worker call xcap_attend(), if that isn't to be sooner. */
void xcap_attend_in(unsigned int milliseconds)
{
	schedule_delayed_work(&attendance, msecs_to_jiffies(milliseconds));
}

/* Waits for it. */
void xcap_attend_never(void)
{
	cancel_delayed_work_sync(&attendance);
}

/* Whether the current task ends as soon as it may. */
bool xcap_is_killed(void)
{
	return fatal_signal_pending(current);
}

/* Xen's public header hvm/hvm_op.h, of which Linux has a part. */
#define XCAP_HVMOP_GET_TIME	10

/*
 * Nanoseconds since Xen booted, at some tick between two. Returns false if there is no Xen that
 * says so.
 */
bool xcap_xen_time(u64 *after, u64 *nanoseconds, u64 *before)
{
#ifdef CONFIG_XEN
	struct { u64 now; } time = {};
	int error;

	if (!xen_domain())
		return false;
	*after = rdtsc_ordered();
	error = HYPERVISOR_hvm_op(XCAP_HVMOP_GET_TIME, &time);
	*before = rdtsc_ordered();
	*nanoseconds = time.now;
	return !error;
#else
	return false;
#endif
}

/*
 * 0: the current task may open `file`. To write it is to hook functions: root's, and not
 * where the kernel is locked down so far that root may not look into it; its log says so.
 */
int xcap_may_open(const struct file *file)
{
	if (!(file->f_mode & FMODE_WRITE))
		return 0;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	return security_locked_down(LOCKDOWN_KPROBES);
}

/* A function that calibration times: an ftrace entry and a return. */
noinline void xcap_empty(void)
{
	asm volatile("");
}

/*
 * Another, which takes longer than reading the clock: multiplications, each of which
 * waits for the last and none for the clock. userland/bench/silicon has the same.
 */
noinline void xcap_known(void)
{
	unsigned long product = 3;

	asm volatile(".rept 100\n\timulq %0, %0\n\t.endr" : "+r"(product));
}

/* A function for an fprobe that has nothing to time. */
noinline void xcap_shadowed(void)
{
	asm volatile("");
}

/* The same under so many callers more, each of which returns. */
noinline notrace void xcap_empty_under(unsigned int callers)
{
	if (callers)
		xcap_empty_under(callers - 1);
	else
		xcap_empty();
	/* No jump takes the place of the call. */
	asm volatile("");
}
