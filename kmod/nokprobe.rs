// SPDX-License-Identifier: GPL-2.0

//! Functions that must not be probed: those that run when a probe is hit.
//!
//! C header: [`include/linux/kprobes.h`](srctree/include/linux/kprobes.h)

/// An entry of the kernel's list of what can't be probed.
#[repr(transparent)]
pub(crate) struct Entry(pub(crate) *const ());

// SAFETY: An address, which nobody dereferences.
unsafe impl Sync for Entry {}

/// As the C macro `NOKPROBE_SYMBOL`.
macro_rules! nokprobe {
    ($($function:path),+ $(,)?) => {
        $(const _: () = {
            #[used]
            #[link_section = "_kprobe_blacklist"]
            static ENTRY: $crate::kmod::nokprobe::Entry =
                $crate::kmod::nokprobe::Entry($function as *const ());
        };)+
    };
}

pub(crate) use nokprobe;
