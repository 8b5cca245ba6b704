/* SPDX-License-Identifier: GPL-2.0 */
/* Linux 7.3 has no task_euid() any more, SystemTap 5.6 still calls it. */
#define task_euid(task) task_cred_xxx((task), euid)
