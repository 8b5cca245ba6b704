/* SPDX-License-Identifier: GPL-2.0 */
/* Inline functions and macros of the kernel's headers, made callable. */
#ifndef XCAP_HELPERS_H
#define XCAP_HELPERS_H

#include <linux/percpu-defs.h>
#include <linux/types.h>

struct module;
struct ftrace_regs;

struct xcap_cpu {
	u64 stamp;
	u64 nested;
	u64 overhead;
};

enum xcap_role {
	XCAP_ROLE_BARE,
	XCAP_ROLE_DOM0,
	XCAP_ROLE_DOMU_PV,
	XCAP_ROLE_DOMU_PVH,
	XCAP_ROLE_DOMU_HVM,
};

DECLARE_PER_CPU(struct xcap_cpu, xcap_cpu);

extern char *xcap_backend;

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
void xcap_empty(void);

#endif
