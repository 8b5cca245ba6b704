/* SPDX-License-Identifier: GPL-2.0 */
/* What `kernel::bindings` lacks. */

#include <linux/cpu.h>
#include <linux/kprobes.h>
#include <linux/fprobe.h>
#include <linux/glob.h>
#include <linux/stacktrace.h>

#include "cell.h"
#include "helpers.h"
