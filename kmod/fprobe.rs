// SPDX-License-Identifier: GPL-2.0

//! The backend `fprobe`: ftrace at the entry, the function graph's shadow stack at the return.
//!
//! C header: [`include/linux/fprobe.h`](srctree/include/linux/fprobe.h)

use super::{
    bindings::*,
    call::{Call, MarkedCall},
    cell::{self, Cell},
    cells::Cells,
    cpu, marking,
    missed::Missed,
    nokprobe::nokprobe,
    scope,
    target::Target,
};
use crate::abi::stages::Work;
use core::{
    ffi::c_void,
    mem::size_of,
    sync::atomic::{AtomicU64, Ordering},
};
use kernel::{
    bindings::ftrace_regs,
    error::to_result,
    ffi::{c_int, c_ulong},
    prelude::*,
};

/// A registered fprobe.
#[repr(C)]
struct Inner {
    // First, so that a pointer to it is one to all.
    fprobe: fprobe,
    cells: *mut Cell,
    work: Work,
    /// No other hook's, ever: calls of an earlier hook may return when this one has its address.
    arming: u64,
}

/// A function hooked by fprobe, until dropped.
pub(crate) struct Hook(KBox<Inner>);

// SAFETY: What is inside is reached by the kernel's own locking, or fixed while registered.
unsafe impl Send for Hook {}
// SAFETY: As above.
unsafe impl Sync for Hook {}

/// What was kept with a call that returns, unless it was an earlier hook's.
///
/// # Safety
///
/// `fprobe` is a registered one of ours, and `data` what an entry handler of ours filled for an
/// fprobe at this address.
#[inline(always)]
unsafe fn call(fprobe: *mut fprobe, data: *mut c_void) -> Option<*const Call> {
    let call = data.cast_const().cast::<Call>();
    // SAFETY: The caller's promise; not a reference, since `argument` may not have been filled.
    let ours = unsafe { (*call).arming == (*fprobe.cast::<Inner>()).arming };
    ours.then_some(call)
}

unsafe extern "C" fn on_entry(
    fprobe: *mut fprobe,
    _entry: c_ulong,
    _return_to: c_ulong,
    _regs: *mut ftrace_regs,
    data: *mut c_void,
) -> c_int {
    // SAFETY: The kernel passes an fprobe of ours, and room for a `Call`.
    unsafe {
        let inner = &*fprobe.cast::<Inner>();
        let call = data.cast::<Call>();
        (*call).arming = inner.arming;
        cell::enter(inner.cells, &raw mut (*call).frame);
    }
    0
}

unsafe extern "C" fn on_return(
    fprobe: *mut fprobe,
    _entry: c_ulong,
    _return_to: c_ulong,
    _regs: *mut ftrace_regs,
    data: *mut c_void,
) {
    let now = cpu::rdtsc();
    // SAFETY: The kernel passes a registered fprobe of ours, whose cells exist, and a `Call` that
    // `on_entry` filled for an fprobe at this address; preemption is off.
    unsafe {
        if let Some(call) = call(fprobe, data) {
            cell::leave(&raw const (*call).frame, now);
        }
    }
}

/// [`on_return`] where the returned value is work.
unsafe extern "C" fn on_return_value(
    fprobe: *mut fprobe,
    _entry: c_ulong,
    _return_to: c_ulong,
    regs: *mut ftrace_regs,
    data: *mut c_void,
) {
    let now = cpu::rdtsc();
    // SAFETY: As in `on_return`; the registers are those at the function's return.
    unsafe {
        if let Some(call) = call(fprobe, data) {
            let work = xcap_fprobe_return_value(regs) as u64;
            cell::leave_with(&raw const (*call).frame, now, work);
        }
    }
}

/// [`on_entry`] where an argument is work.
unsafe extern "C" fn on_entry_keep(
    fprobe: *mut fprobe,
    entry: c_ulong,
    return_to: c_ulong,
    regs: *mut ftrace_regs,
    data: *mut c_void,
) -> c_int {
    // SAFETY: As in `on_entry`; the registers are those at the function's entry.
    unsafe {
        if let Work::Argument(index) = (*fprobe.cast::<Inner>()).work {
            let argument = xcap_fprobe_argument(regs, u32::from(index));
            (*data.cast::<Call>()).argument = argument as u64;
        }
        on_entry(fprobe, entry, return_to, regs, data)
    }
}

/// [`on_return`] where an argument is work.
unsafe extern "C" fn on_return_kept(
    fprobe: *mut fprobe,
    _entry: c_ulong,
    _return_to: c_ulong,
    _regs: *mut ftrace_regs,
    data: *mut c_void,
) {
    let now = cpu::rdtsc();
    // SAFETY: As in `on_return`; `on_entry_keep` kept the argument.
    unsafe {
        if let Some(call) = call(fprobe, data) {
            cell::leave_with(&raw const (*call).frame, now, (*call).argument);
        }
    }
}

/// [`on_entry`], or the one that keeps an argument, where calls have to be in scope.
unsafe extern "C" fn on_entry_scoped(
    fprobe: *mut fprobe,
    entry: c_ulong,
    return_to: c_ulong,
    regs: *mut ftrace_regs,
    data: *mut c_void,
) -> c_int {
    // SAFETY: As in `on_entry_keep`.
    unsafe {
        let argument = |index| xcap_fprobe_argument(regs, u32::from(index)) as u64;
        if !scope::holds((*fprobe.cast::<Inner>()).cells, argument) {
            return scope::NOT_MINE;
        }
        on_entry_keep(fprobe, entry, return_to, regs, data)
    }
}

/// [`on_entry`] where calls leave marks.
unsafe extern "C" fn on_entry_mark(
    fprobe: *mut fprobe,
    entry: c_ulong,
    return_to: c_ulong,
    regs: *mut ftrace_regs,
    data: *mut c_void,
) -> c_int {
    // SAFETY: As in `on_entry_keep`; there is room for a `MarkedCall`.
    unsafe {
        let inner = &*fprobe.cast::<Inner>();
        let marked = data.cast::<MarkedCall>();
        let argument = |index| xcap_fprobe_argument(regs, u32::from(index)) as u64;
        if let Work::Argument(index) = inner.work {
            (*marked).call.argument = argument(index);
        }
        // Before the clock is read: a sample is what it is without marks.
        (*marked).identity = marking::identify(inner.cells, argument);
        if !(*marked).identity.is_in_scope() {
            return scope::NOT_MINE;
        }
        on_entry(fprobe, entry, return_to, regs, data)
    }
}

/// [`on_return`] where calls leave marks.
unsafe extern "C" fn on_return_mark(
    fprobe: *mut fprobe,
    _entry: c_ulong,
    _return_to: c_ulong,
    regs: *mut ftrace_regs,
    data: *mut c_void,
) {
    let now = cpu::rdtsc();
    // SAFETY: As in `on_return`. If the call is of this arming, `on_entry_mark` filled a
    // `MarkedCall`; but for the argument, where none is work.
    unsafe {
        if let Some(call) = call(fprobe, data) {
            let marked = call.cast::<MarkedCall>();
            let frame = &raw const (*marked).call.frame;
            let work = match (*fprobe.cast::<Inner>()).work {
                Work::None => 0,
                Work::Returned => xcap_fprobe_return_value(regs) as u64,
                Work::Argument(_) => (*marked).call.argument,
            };
            cell::leave_with(frame, now, work);
            let cycles = now.wrapping_sub((*frame).tsc);
            marking::leave(&*frame, (*marked).identity, cycles, work);
        }
    }
}

nokprobe!(
    on_entry,
    on_return,
    on_return_value,
    on_entry_keep,
    on_return_kept,
    on_entry_scoped,
    on_entry_mark,
    on_return_mark
);

impl Hook {
    pub(crate) fn arm(target: &Target, cells: &Cells) -> Result<Self> {
        static ARMINGS: AtomicU64 = AtomicU64::new(0);

        cells.set_constants(target.constants());
        let marks = target.marking.is_some();
        let (entry_handler, exit_handler): (fprobe_entry_cb, fprobe_exit_cb) = match target.work {
            _ if marks => (Some(on_entry_mark), Some(on_return_mark)),
            Work::None => (Some(on_entry), Some(on_return)),
            Work::Returned => (Some(on_entry), Some(on_return_value)),
            Work::Argument(_) => (Some(on_entry_keep), Some(on_return_kept)),
        };
        let scoped: fprobe_entry_cb = Some(on_entry_scoped);
        let entry_handler = match target.scope {
            Some(_) if !marks => scoped,
            _ => entry_handler,
        };
        let mut inner = KBox::new(
            Inner {
                fprobe: fprobe {
                    entry_data_size: if marks {
                        size_of::<MarkedCall>()
                    } else {
                        size_of::<Call>()
                    },
                    entry_handler,
                    exit_handler,
                    ..Default::default()
                },
                cells: cells.as_ptr(),
                work: target.work,
                arming: ARMINGS.fetch_add(1, Ordering::Relaxed),
            },
            GFP_KERNEL,
        )?;
        let mut address = target.address as c_ulong;
        // SAFETY: The fprobe stays where it is until it is unregistered in `drop`; one address is
        // passed.
        to_result(unsafe { register_fprobe_ips(&raw mut inner.fprobe, &raw mut address, 1) })?;
        Ok(Self(inner))
    }

    pub(crate) fn missed(&self) -> Missed {
        let pool = &raw const self.0.fprobe.nmissed;
        Missed {
            // SAFETY: A plain counter, which the kernel may be incrementing.
            pool: unsafe { pool.read_volatile() as u64 },
            busy: 0,
        }
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        // SAFETY: Registered by `arm`. Afterwards no handler runs; calls in flight return through
        // the kernel's shadow stack, which looks up whether we are still there.
        unsafe { unregister_fprobe(&raw mut self.0.fprobe) };
    }
}
