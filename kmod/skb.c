// SPDX-License-Identifier: GPL-2.0
/*
 * What a socket buffer says of its frame: layouts and inline functions of <linux/skbuff.h>.
 *
 * It runs wherever a probed function does, on pointers that the function was given. Each is read
 * so that a fault means no more than a frame without a number, and nothing here can be probed.
 */

#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/skbuff.h>
#include <linux/unaligned.h>

#include "helpers.h"
#include "peek.h"

/* As in abi/src/mark.rs, module `frame`: where a frame says its kind and, if it has one, its number. */
#define ETHERTYPE_AT	12
#define ETHERTYPE	0x0805
#define MAGIC_AT	14
#define MAGIC		0x78636170	/* "xcap" */
#define NUMBER_AT	18
#define NUMBERED_SIZE	26

/* No skb_mac_header_was_set(), which reads it. */
#define NO_MAC_HEADER	((u16)~0U)

/* Pages of network memory that no CPU can read are marked so. */
#define UNREADABLE	1UL

/* Reads what a pointer of the kernel's points to. Returns false if that can't be read. */
notrace bool xcap_peek(u64 from, u64 *to)
{
	bool whole;

	pagefault_disable();
	whole = peek_u64((const void *)from, to);
	pagefault_enable();
	return whole;
}
NOKPROBE_SYMBOL(xcap_peek);

static __always_inline bool is_numbered(u16 ethertype, u32 magic)
{
	return ethertype == cpu_to_be16(ETHERTYPE) && magic == cpu_to_be32(MAGIC);
}

static __always_inline bool number_at(const u8 *frame, u64 *number)
{
	u16 ethertype;
	u32 magic;

	if (!peek_u16(frame + ETHERTYPE_AT, &ethertype) || !peek_u32(frame + MAGIC_AT, &magic) ||
	    !is_numbered(ethertype, magic) || !peek_u64(frame + NUMBER_AT, number))
		return false;
	*number = be64_to_cpu(*number);
	return true;
}

/* The same where fewer than as many bytes, `linear`, are in one piece, the others in pages. */
static __always_inline bool number_in_pages(const u8 *frame, unsigned int linear,
					    const struct skb_shared_info *shared, u64 *number)
{
	u8 bytes[NUMBERED_SIZE];
	unsigned int have = 0;
	u8 pages;

	for (; have < linear; have++)
		if (!peek_u8(frame + have, &bytes[have]))
			return false;
	if (!peek_u8(&shared->nr_frags, &pages) || pages > MAX_SKB_FRAGS)
		return false;
	for (unsigned int page = 0; page < pages && have < NUMBERED_SIZE; page++) {
		const skb_frag_t *part = &shared->frags[page];
		u32 length, offset;
		const u8 *from;
		u64 memory;

		if (!peek_u64(&part->netmem, &memory) || !peek_u32(&part->len, &length) ||
		    !peek_u32(&part->offset, &offset) || memory & UNREADABLE)
			return false;
		from = (const u8 *)page_to_virt((struct page *)memory) + offset;
		for (; length && have < NUMBERED_SIZE; length--, from++, have++)
			if (!peek_u8(from, &bytes[have]))
				return false;
	}
	if (have < NUMBERED_SIZE)
		return false;
	/* On the stack, where a peek is a read. */
	return number_at(bytes, number);
}

static __always_inline bool skb_number(const struct sk_buff *skb, u64 *number)
{
	u64 head, data;
	u16 mac_header;
	u32 tail, end;
	const u8 *frame;
	long linear;

	if (!peek_u64(&skb->head, &head) || !peek_u16(&skb->mac_header, &mac_header) ||
	    !peek_u32(&skb->tail, &tail))
		return false;
	if (mac_header == NO_MAC_HEADER) {
		if (!peek_u64(&skb->data, &data))
			return false;
		frame = (const u8 *)data;
	} else {
		frame = (const u8 *)head + mac_header;
	}
	linear = (long)(head + tail) - (long)frame;
	if (linear >= NUMBERED_SIZE)
		return number_at(frame, number);
	if (linear < 0 || !peek_u32(&skb->end, &end))
		return false;
	return number_in_pages(frame, linear, (const void *)(head + end), number);
}

/* A socket buffer with a numbered frame, or NULL. */
struct sk_buff *xcap_numbered_buffer(void)
{
	struct sk_buff *skb = alloc_skb(NUMBERED_SIZE, GFP_KERNEL);
	u8 *frame;

	if (!skb)
		return NULL;
	skb_reset_mac_header(skb);
	frame = skb_put_zero(skb, NUMBERED_SIZE);
	put_unaligned_be16(ETHERTYPE, frame + ETHERTYPE_AT);
	put_unaligned_be32(MAGIC, frame + MAGIC_AT);
	return skb;
}

void xcap_free_buffer(struct sk_buff *skb)
{
	kfree_skb(skb);
}

/* The function that the cost of a mark is measured on. */
noinline void xcap_empty_about(struct sk_buff *skb)
{
	asm volatile("" : : "r"(skb));
}

/* The number that the frame of a socket buffer says it has. Returns false if there is none. */
notrace bool xcap_skb_number(u64 skb, u64 *number)
{
	bool numbered;

	pagefault_disable();
	numbered = skb_number((const struct sk_buff *)skb, number);
	pagefault_enable();
	return numbered;
}
NOKPROBE_SYMBOL(xcap_skb_number);
