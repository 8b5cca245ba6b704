// SPDX-License-Identifier: GPL-2.0

//! The backend `kretprobe`: a kprobe at the entry, a rethook at the return.
//!
//! C header: [`include/linux/kprobes.h`](srctree/include/linux/kprobes.h)

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
use core::mem::{size_of, ManuallyDrop};
use kernel::{
    bindings::{pt_regs, synchronize_rcu},
    error::to_result,
    ffi::c_int,
    prelude::*,
};

/// Calls that can be asleep in a stage at once.
const SLEEPERS: c_int = 1024;

/// Calls that can be asleep in a function that somebody added, of which there may be many.
const ADDED_SLEEPERS: c_int = 128;

/// A registered kretprobe.
#[repr(C)]
struct Inner {
    // First, so that a pointer to it is one to all.
    kretprobe: kretprobe,
    cells: *mut Cell,
    work: Work,
}

/// A function hooked by kretprobe, until dropped.
pub(crate) struct Hook(ManuallyDrop<KBox<Inner>>);

// SAFETY: What is inside is reached by the kernel's own locking, or fixed while registered.
unsafe impl Send for Hook {}
// SAFETY: As above.
unsafe impl Sync for Hook {}

/// What is kept with the call of `instance`.
///
/// # Safety
///
/// `instance` is one of a kretprobe of ours, which have room for a `Call`.
#[inline(always)]
unsafe fn call(instance: *mut kretprobe_instance) -> *mut Call {
    // SAFETY: The caller's promise.
    unsafe { (&raw mut (*instance).data).cast() }
}

/// The hook that `instance` belongs to.
///
/// # Safety
///
/// `instance` is one of a kretprobe of ours that is registered.
#[inline(always)]
unsafe fn inner<'a>(instance: *mut kretprobe_instance) -> &'a Inner {
    // SAFETY: The rethook's data is the kretprobe, which is the first field of an `Inner`.
    unsafe { &*(*(*instance).node.rethook).data.cast() }
}

unsafe extern "C" fn on_entry(instance: *mut kretprobe_instance, _regs: *mut pt_regs) -> c_int {
    // SAFETY: The kernel passes an instance of a registered kretprobe of ours.
    unsafe { cell::enter(inner(instance).cells, &raw mut (*call(instance)).frame) };
    0
}

unsafe extern "C" fn on_return(instance: *mut kretprobe_instance, _regs: *mut pt_regs) -> c_int {
    let now = cpu::rdtsc();
    // SAFETY: As in `on_entry`, which filled the frame. Rethook has preemption off, and calls
    // handlers of registered kretprobes only, so that the cells exist.
    unsafe { cell::leave(&raw const (*call(instance)).frame, now) }
}

/// [`on_return`] where the returned value is work.
unsafe extern "C" fn on_return_value(
    instance: *mut kretprobe_instance,
    regs: *mut pt_regs,
) -> c_int {
    let now = cpu::rdtsc();
    // SAFETY: As in `on_return`; the registers are those at the function's return.
    unsafe { cell::leave_with(&raw const (*call(instance)).frame, now, (*regs).ax as u64) }
}

/// [`on_entry`] where an argument is work.
unsafe extern "C" fn on_entry_keep(instance: *mut kretprobe_instance, regs: *mut pt_regs) -> c_int {
    // SAFETY: As in `on_entry`; the registers are those at the function's entry.
    unsafe {
        if let Work::Argument(index) = inner(instance).work {
            (*call(instance)).argument = argument(&*regs, index);
        }
        on_entry(instance, regs)
    }
}

/// [`on_return`] where an argument is work.
unsafe extern "C" fn on_return_kept(
    instance: *mut kretprobe_instance,
    _regs: *mut pt_regs,
) -> c_int {
    let now = cpu::rdtsc();
    // SAFETY: As in `on_return`; `on_entry_keep` kept the argument.
    unsafe {
        let call = call(instance);
        cell::leave_with(&raw const (*call).frame, now, (*call).argument)
    }
}

/// [`on_entry`], or the one that keeps an argument, where calls have to be in scope.
unsafe extern "C" fn on_entry_scoped(
    instance: *mut kretprobe_instance,
    regs: *mut pt_regs,
) -> c_int {
    // SAFETY: As in `on_entry_keep`.
    unsafe {
        if !scope::holds(inner(instance).cells, |index| argument(&*regs, index)) {
            return scope::NOT_MINE;
        }
        on_entry_keep(instance, regs)
    }
}

/// [`on_entry`] where calls leave marks.
unsafe extern "C" fn on_entry_mark(instance: *mut kretprobe_instance, regs: *mut pt_regs) -> c_int {
    // SAFETY: As in `on_entry_keep`; there is room for a `MarkedCall`.
    unsafe {
        let inner = inner(instance);
        let call = call(instance).cast::<MarkedCall>();
        if let Work::Argument(index) = inner.work {
            (*call).call.argument = argument(&*regs, index);
        }
        // Before the clock is read: a sample is what it is without marks.
        (*call).identity = marking::identify(inner.cells, |index| argument(&*regs, index));
        if !(*call).identity.is_in_scope() {
            return scope::NOT_MINE;
        }
        on_entry(instance, regs)
    }
}

/// [`on_return`] where calls leave marks.
unsafe extern "C" fn on_return_mark(
    instance: *mut kretprobe_instance,
    regs: *mut pt_regs,
) -> c_int {
    let now = cpu::rdtsc();
    // SAFETY: As in `on_return`, of what `on_entry_mark` filled; but for the argument, where none is
    // work.
    unsafe {
        let marked = call(instance).cast::<MarkedCall>();
        let frame = &raw const (*marked).call.frame;
        let work = match inner(instance).work {
            Work::None => 0,
            Work::Returned => (*regs).ax as u64,
            Work::Argument(_) => (*marked).call.argument,
        };
        cell::leave_with(frame, now, work);
        let cycles = now.wrapping_sub((*frame).tsc);
        marking::leave(&*frame, (*marked).identity, cycles, work);
    }
    0
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

/// The function's argument number `index`, from 0, at its entry.
fn argument(regs: &pt_regs, index: u8) -> u64 {
    let argument = match index {
        0 => regs.di,
        1 => regs.si,
        2 => regs.dx,
        3 => regs.cx,
        4 => regs.r8,
        _ => regs.r9,
    };
    argument as u64
}

impl Hook {
    pub(crate) fn arm(target: &Target, cells: &Cells) -> Result<Self> {
        cells.set_constants(target.constants());
        let marks = target.marking.is_some();
        let (handler, entry_handler): (kretprobe_handler_t, kretprobe_handler_t) = match target.work
        {
            _ if marks => (Some(on_return_mark), Some(on_entry_mark)),
            Work::None => (Some(on_return), Some(on_entry)),
            Work::Returned => (Some(on_return_value), Some(on_entry)),
            Work::Argument(_) => (Some(on_return_kept), Some(on_entry_keep)),
        };
        let scoped: kretprobe_handler_t = Some(on_entry_scoped);
        let entry_handler = match target.scope {
            Some(_) if !marks => scoped,
            _ => entry_handler,
        };
        let mut inner = KBox::new(
            Inner {
                kretprobe: kretprobe {
                    handler,
                    entry_handler,
                    data_size: if marks {
                        size_of::<MarkedCall>()
                    } else {
                        size_of::<Call>()
                    },
                    maxactive: match (target.sleeps, target.is_stage) {
                        // The kernel's default: as many as can nest in interrupts.
                        (false, _) => 0,
                        (true, true) => SLEEPERS,
                        (true, false) => ADDED_SLEEPERS,
                    },
                    ..Default::default()
                },
                cells: cells.as_ptr(),
                work: target.work,
            },
            GFP_KERNEL,
        )?;
        inner.kretprobe.kp.addr = target.address as *mut _;
        // SAFETY: The kretprobe stays where it is until it is unregistered in `drop`.
        to_result(unsafe { register_kretprobe(&raw mut inner.kretprobe) })?;
        Ok(Self(ManuallyDrop::new(inner)))
    }

    pub(crate) fn missed(&self) -> Missed {
        let pool = &raw const self.0.kretprobe.nmissed;
        let busy = &raw const self.0.kretprobe.kp.nmissed;
        // SAFETY: Plain counters, which the kernel may be incrementing.
        unsafe {
            Missed {
                pool: pool.read_volatile() as u64,
                busy: busy.read_volatile() as u64,
            }
        }
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        let kretprobe = &raw mut self.0.kretprobe;
        // SAFETY: Registered by `arm`. Afterwards no handler runs; calls in flight return through
        // the kernel's rethook, which knows that we are gone.
        let is_gone = unsafe {
            unregister_kretprobe(kretprobe);
            !(*kretprobe).kp.addr.is_null()
        };
        if is_gone {
            // SAFETY: It is dropped once, here, and the kernel does not know it any more.
            unsafe { ManuallyDrop::drop(&mut self.0) };
            return;
        }
        // ftrace had no memory. The kernel keeps the kprobe, without its address; where others have
        // one there, it would call us with theirs, but for this flag.
        // SAFETY: It stays where it is for ever; nobody else changes the flags of what is to go.
        unsafe {
            (*kretprobe).kp.flags |= KPROBE_FLAG_DISABLED;
            synchronize_rcu();
        }
        pr_err!("the kernel had no memory to unhook a kretprobe, which it keeps\n");
    }
}
