/* SPDX-License-Identifier: GPL-2.0 */
/* Reading, wherever a probed function runs, what a pointer that it was given may point to. */
#ifndef XCAP_PEEK_H
#define XCAP_PEEK_H

#include <linux/mm.h>
#include <linux/uaccess.h>
#include <asm/page.h>
#include <asm/processor.h>
#include <asm/vsyscall.h>

/* As copy_from_kernel_nofault_allowed(): elsewhere, a fault is more than a fault. */
static __always_inline bool is_kernel_address(unsigned long address)
{
	return (long)address < 0 && (address & PAGE_MASK) != VSYSCALL_ADDR &&
	       __is_canonical_address(address, boot_cpu_data.x86_virt_bits);
}

#define PEEK(type)								\
static __always_inline bool peek_##type(const void *from, type *to)		\
{										\
	if (!is_kernel_address((unsigned long)from))				\
		return false;							\
	__get_kernel_nofault(to, from, type, fault);				\
	return true;								\
fault:										\
	return false;								\
}

PEEK(u8)
PEEK(u16)
PEEK(u32)
PEEK(u64)

#endif
