/* SPDX-License-Identifier: GPL-2.0 */
/* Inline functions and macros of the kernel's headers, made callable. */
#ifndef XCAP_HELPERS_H
#define XCAP_HELPERS_H

#include <linux/percpu-defs.h>
#include <linux/types.h>

struct file;
struct module;
struct pid;
struct sk_buff;
struct ftrace_ops;
struct ftrace_regs;

struct xcap_cpu {
	u64 stamp;
	u64 nested;
	u64 overhead;
	/* The stamp while calls count, else no CPU's (kmod/epoch.rs). */
	u64 entry;
	u64 opened;
} __aligned(64);

/* What an argument points to that says where a call's frame or socket belongs (kmod/origin.c). */
enum xcap_belonging {
	XCAP_OF_BUFFER,
	XCAP_OF_DEVICE,
	XCAP_OF_NAPI,
	XCAP_OF_XDP,
	XCAP_OF_SOCKET,
	XCAP_OF_SOCK,
	XCAP_OF_NAMESPACE,
};

/* An interface and its network namespace, or that alone. A cookie is never another's. */
struct xcap_origin {
	u64 namespace;
	u32 interface;
};

enum xcap_role {
	XCAP_ROLE_BARE,
	XCAP_ROLE_DOM0,
	XCAP_ROLE_DOMU_PV,
	XCAP_ROLE_DOMU_PVH,
	XCAP_ROLE_DOMU_HVM,
};

/* Where things lie in a slot of the direct backend, in bytes (kmod/hot_path.S). */
struct xcap_direct_layout {
	u32 call;
	u32 back;
	u32 counted;
	u32 rest;
	/* Where a call goes that is out of scope; 0: all are in it. */
	u32 away;
};

extern const struct xcap_direct_layout xcap_direct_slots_layout;
extern const struct xcap_direct_layout xcap_marking_slots_layout;
extern const struct xcap_direct_layout xcap_scoped_slots_layout;
extern u8 xcap_direct_slots[];
extern u8 xcap_marking_slots[];
extern u8 xcap_scoped_slots[];

DECLARE_PER_CPU(struct xcap_cpu, xcap_cpu);

extern char *xcap_backend;
extern char *xcap_stages;

const char *xcap_release(void);
enum xcap_role xcap_role(void);
bool xcap_tsc_invariant(void);
unsigned long xcap_fprobe_argument(struct ftrace_regs *regs, unsigned int index);
unsigned long xcap_fprobe_return_value(struct ftrace_regs *regs);
void xcap_tracepoint_synchronize(void);
unsigned int xcap_module_text(unsigned int index, char *name, unsigned long *base,
			      unsigned long *size);
unsigned long xcap_core_text(void);
unsigned long xcap_irq_save(void);
void xcap_irq_restore(unsigned long flags);
unsigned long xcap_direct_rest(unsigned long function);
unsigned long xcap_direct_entry(unsigned int slot, bool jumps);
void xcap_direct_aim(unsigned int slot, void *rest, void *back, void *away);
void xcap_direct_may_share(struct ftrace_ops *ops);
struct file *xcap_sysfs_open(const char *path);
void xcap_attend_in(unsigned int milliseconds);
void xcap_attend_never(void);
bool xcap_is_killed(void);
bool xcap_peek(u64 from, u64 *to);
bool xcap_skb_number(u64 skb, u64 *number);
bool xcap_origin_of(enum xcap_belonging belonging, u64 pointer, struct xcap_origin *origin);
bool xcap_is_process(const struct pid *process);
bool xcap_find_interface(const char *name, struct xcap_origin *origin);
bool xcap_find_namespace(u32 number, struct xcap_origin *origin);
bool xcap_has_origin(const struct xcap_origin *origin);
struct pid *xcap_find_process(int number);
bool xcap_has_process(struct pid *process);
void xcap_own_origin(struct sk_buff *skb, struct xcap_origin *origin);
struct pid *xcap_own_process(void);
struct sk_buff *xcap_numbered_buffer(void);
void xcap_free_buffer(struct sk_buff *skb);
void xcap_empty_about(struct sk_buff *skb);
bool xcap_xen_time(u64 *after, u64 *nanoseconds, u64 *before);
int xcap_may_open(const struct file *file);
void xcap_empty(void);
void xcap_empty_under(unsigned int callers);
void xcap_known(void);
void xcap_shadowed(void);

/* In kmod/attendant.rs. */
void xcap_attend(void);

/* In kmod/direct.rs. */
int xcap_direct_share(struct ftrace_ops *ops, bool peer);

#endif
