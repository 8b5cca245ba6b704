// SPDX-License-Identifier: GPL-2.0

//! Functions that must not be probed: those that run when a probe is hit.
//!
//! C header: [`include/linux/kprobes.h`](srctree/include/linux/kprobes.h)

/// As the C macro `NOKPROBE_SYMBOL`, an entry of the kernel's list.
///
/// In assembly, so that the section has the flags that kmod/hot_path.S gives it: of two with the
/// same name, the kernel loads no module.
macro_rules! nokprobe {
    ($($function:path),+ $(,)?) => {
        $(core::arch::global_asm!(
            ".pushsection _kprobe_blacklist, \"aw\"",
            ".balign 8",
            ".quad {function}",
            ".popsection",
            function = sym $function,
        );)+
    };
}

pub(crate) use nokprobe;
