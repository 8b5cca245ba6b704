// SPDX-License-Identifier: GPL-2.0
/*
 * Which interface, network namespace and process a call belongs to: layouts and inline functions
 * of the network's headers.
 *
 * What runs at hits reads each pointer so that a fault means no more than that nothing is known
 * (kmod/peek.h). No reference is held but to a process' number, which keeps nothing alive: an
 * interface is known by its number and its namespace's cookie.
 */

#include <linux/filter.h>
#include <linux/kprobes.h>
#include <linux/net.h>
#include <linux/netdevice.h>
#include <linux/nsproxy.h>
#include <linux/pid.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/skbuff.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include <net/xdp.h>

#include "helpers.h"
#include "peek.h"

static __always_inline bool of_namespace(u64 net, struct xcap_origin *origin)
{
	return peek_u64(&((const struct net *)net)->net_cookie, &origin->namespace);
}

static __always_inline bool in_namespace(const possible_net_t *of, struct xcap_origin *origin)
{
#ifdef CONFIG_NET_NS
	u64 net;

	return peek_u64(&of->net, &net) && of_namespace(net, origin);
#else
	return of_namespace((u64)&init_net, origin);
#endif
}

static __always_inline bool of_device(u64 device, struct xcap_origin *origin)
{
	const struct net_device *dev = (const struct net_device *)device;

	return peek_u32(&dev->ifindex, &origin->interface) && in_namespace(&dev->nd_net, origin);
}

static __always_inline bool of_sock(u64 sock, struct xcap_origin *origin)
{
	origin->interface = 0;
	return in_namespace(&((const struct sock *)sock)->sk_net, origin);
}

/* A frame that waits in a socket has forgotten its interface, but not the number of it. */
static __always_inline bool of_buffer(u64 buffer, struct xcap_origin *origin)
{
	const struct sk_buff *skb = (const struct sk_buff *)buffer;
	u64 dev, sk;
	u32 arrived;

	if (!peek_u64(&skb->dev, &dev))
		return false;
	if (dev && of_device(dev, origin))
		return true;
	if (!peek_u64(&skb->sk, &sk) || !sk || !peek_u32(&skb->skb_iif, &arrived) ||
	    !of_sock(sk, origin))
		return false;
	origin->interface = arrived;
	return true;
}

static __always_inline bool whose(enum xcap_belonging belonging, u64 pointer,
				      struct xcap_origin *origin)
{
	u64 next;

	switch (belonging) {
	case XCAP_OF_BUFFER:
		return of_buffer(pointer, origin);
	case XCAP_OF_DEVICE:
		return of_device(pointer, origin);
	case XCAP_OF_NAPI:
		return peek_u64(&((const struct napi_struct *)pointer)->dev, &next) &&
		       of_device(next, origin);
	case XCAP_OF_XDP:
		return peek_u64(&((const struct xdp_buff *)pointer)->rxq, &next) &&
		       peek_u64(&((const struct xdp_rxq_info *)next)->dev, &next) &&
		       of_device(next, origin);
	case XCAP_OF_SOCKET:
		return peek_u64(&((const struct socket *)pointer)->sk, &next) &&
		       of_sock(next, origin);
	case XCAP_OF_SOCK:
		return of_sock(pointer, origin);
	case XCAP_OF_NAMESPACE:
		origin->interface = 0;
		return of_namespace(pointer, origin);
	}
	return false;
}

/* Where a call belongs with such an argument. Returns false if that can't be told. */
notrace bool xcap_origin_of(enum xcap_belonging belonging, u64 pointer, struct xcap_origin *origin)
{
	bool known;

	pagefault_disable();
	known = whose(belonging, pointer, origin);
	pagefault_enable();
	return known;
}
NOKPROBE_SYMBOL(xcap_origin_of);

/* Whether a task of that process runs here, not an interrupt that came upon it. */
notrace bool xcap_is_process(const struct pid *process)
{
	return in_task() && task_tgid(current) == process;
}
NOKPROBE_SYMBOL(xcap_is_process);

/* The interface of that name in the namespace of the current task. */
bool xcap_find_interface(const char *name, struct xcap_origin *origin)
{
	struct net *net = current->nsproxy->net_ns;
	struct net_device *dev;

	rcu_read_lock();
	dev = dev_get_by_name_rcu(net, name);
	if (dev)
		origin->interface = dev->ifindex;
	rcu_read_unlock();
	origin->namespace = net->net_cookie;
	return dev;
}

/* The network namespace whose file in /proc has that inode. */
bool xcap_find_namespace(u32 number, struct xcap_origin *origin)
{
	struct net *net;
	bool found = false;

	rcu_read_lock();
	for_each_net_rcu(net) {
		if (net->ns.inum == number) {
			origin->interface = 0;
			origin->namespace = net->net_cookie;
			found = true;
			break;
		}
	}
	rcu_read_unlock();
	return found;
}

/* Whether there is such a namespace still, and in it such an interface, if that is one's. */
bool xcap_has_origin(const struct xcap_origin *origin)
{
	struct net *net;
	bool found = false;

	rcu_read_lock();
	for_each_net_rcu(net) {
		if (net->net_cookie == origin->namespace) {
			found = !origin->interface || dev_get_by_index_rcu(net, origin->interface);
			break;
		}
	}
	rcu_read_unlock();
	return found;
}

/* The process of that number, as the current task knows it; to be put, or NULL. */
struct pid *xcap_find_process(int number)
{
	struct pid *process = find_get_pid(number);

	if (process && !xcap_has_process(process)) {
		put_pid(process);
		return NULL;
	}
	return process;
}

/* Whether it has tasks still. */
bool xcap_has_process(struct pid *process)
{
	bool found;

	rcu_read_lock();
	found = pid_task(process, PIDTYPE_TGID);
	rcu_read_unlock();
	return found;
}

/* Makes a socket buffer one of the loopback's, which never goes. */
void xcap_own_origin(struct sk_buff *skb, struct xcap_origin *origin)
{
	skb->dev = init_net.loopback_dev;
	origin->interface = skb->dev->ifindex;
	origin->namespace = init_net.net_cookie;
}

/* The current task's process. */
struct pid *xcap_own_process(void)
{
	return task_tgid(current);
}
