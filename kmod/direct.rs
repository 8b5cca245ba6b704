// SPDX-License-Identifier: GPL-2.0

//! The backend `direct`: ftrace makes the function's entry go straight to a trampoline of ours.
//!
//! C header: [`include/linux/ftrace.h`](srctree/include/linux/ftrace.h)

use super::{
    bindings::{xcap_direct_may_share, xcap_direct_rest},
    cell::Cell,
    cells::Cells,
    own_stack::OwnStack,
    slot::{backs, called_away, Kind, Slot, Variant},
    target::Target,
    this_module::Pin,
};
use core::{
    mem::ManuallyDrop,
    sync::atomic::{AtomicBool, Ordering},
};
use kernel::{
    bindings::{
        ftrace_free_filter, ftrace_ops, ftrace_set_filter_ip, modify_ftrace_direct_nolock, msleep,
        register_ftrace_direct, synchronize_rcu_tasks, synchronize_rcu_tasks_rude,
        unregister_ftrace_direct,
    },
    error::to_result,
    ffi::{c_int, c_ulong},
    prelude::*,
};

/// What ftrace has of a hook.
#[repr(C)]
struct Registration {
    // First, so that ftrace's pointer is one to all of it.
    ops: ftrace_ops,
    cells: *mut Cell,
    /// Calls the function's own rest.
    own: Slot,
    /// Calls whatever the function's entry says is its rest. Made when livepatch comes.
    shared: Option<Slot>,
    called_back: *const u8,
    kind: Kind,
    /// Calls come to the shared slot.
    shares: AtomicBool,
    /// A lock: the entry is being changed.
    busy: AtomicBool,
}

impl Registration {
    fn variant(&self) -> Variant {
        if self.shares.load(Ordering::Relaxed) {
            Variant::Call
        } else {
            Variant::BEST
        }
    }

    /// What ftrace knows the slot by that calls come to.
    fn entry(&self) -> Result<c_ulong> {
        let slot = if self.shares.load(Ordering::Relaxed) {
            self.shared.as_ref().ok_or(EINVAL)?
        } else {
            &self.own
        };
        Ok(slot.entry(self.variant()))
    }

    /// Has calls come to the shared slot, which there is from here on.
    ///
    /// # Errors
    ///
    /// `ENOSPC`: no slot is free.
    fn share(&mut self) -> Result {
        if self.shared.is_none() {
            let rest = self.kind.shared_rest();
            let away = called_away();
            self.shared = Some(Slot::take(
                self.cells,
                self.kind,
                rest,
                self.called_back,
                away,
            )?);
        }
        self.shares.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// The same while it is registered. Calls in flight return through the slot that they came to.
    ///
    /// # Errors
    ///
    /// `EAGAIN`: the hook is about to go.
    fn share_now(&mut self) -> Result {
        if self.busy.swap(true, Ordering::Acquire) {
            return Err(EAGAIN);
        }
        let mut result = Ok(());
        if !self.shares.load(Ordering::Relaxed) {
            result = self.share().and_then(|()| {
                let entry = self.entry()?;
                // SAFETY: The ops are registered; ftrace, who asks for it, holds its lock.
                to_result(unsafe { modify_ftrace_direct_nolock(&raw mut self.ops, entry) })
            });
            self.shares.store(result.is_ok(), Ordering::Relaxed);
        }
        self.busy.store(false, Ordering::Release);
        result
    }
}

/// ftrace asks whether somebody else, livepatch, may change where the function goes on: a peer who
/// comes after us, or one who was there before.
///
/// # Safety
///
/// The ops are those of a [`Registration`]; ftrace's lock of direct calls is held.
#[no_mangle]
unsafe extern "C" fn xcap_direct_share(ops: *mut ftrace_ops, peer: bool) -> c_int {
    let registration = ops.cast::<Registration>();
    // SAFETY: The caller's promise. Whoever else changes it holds `busy`, or registers it.
    let result = unsafe {
        if peer {
            (*registration).share_now()
        } else if (*registration).shares.load(Ordering::Relaxed) {
            Ok(())
        } else {
            // `Hook::rearm` knows what to do.
            Err(EAGAIN)
        }
    };
    result.map_or_else(Error::to_errno, |()| 0)
}

/// A function hooked by a direct call.
///
/// Drop it only when it is disarmed, no call is in flight, and [`synchronize`] was called after
/// both: calls return through the slot. An armed one, which an error leaves behind, is disarmed.
pub(crate) struct Hook {
    registration: ManuallyDrop<KBox<Registration>>,
    address: usize,
    armed: bool,
    /// The function can't be let go.
    stuck: bool,
}

// SAFETY: What is inside is reached by the kernel's own locking, or fixed while registered.
unsafe impl Send for Hook {}
// SAFETY: As above.
unsafe impl Sync for Hook {}

impl Hook {
    pub(crate) fn arm(target: &Target, cells: &Cells) -> Result<Self> {
        let [jumped_back, called_back] = backs(target)?;
        // SAFETY: It is a function's address.
        let rest = unsafe { xcap_direct_rest(target.address as c_ulong) };
        if rest == 0 {
            return Err(EINVAL);
        }
        let rest = rest as *const u8;
        let (back, away) = match Variant::BEST {
            Variant::Jump => (jumped_back, rest),
            Variant::Call => (called_back, called_away()),
        };
        cells.set_constants(target.constants());
        let cells = cells.as_ptr();
        let kind = Kind::of(target);
        let mut registration = KBox::new(
            Registration {
                ops: ftrace_ops::default(),
                cells,
                own: Slot::take(cells, kind, rest, back, away)?,
                shared: None,
                called_back,
                kind,
                shares: AtomicBool::new(false),
                busy: AtomicBool::new(false),
            },
            GFP_KERNEL,
        )?;
        // SAFETY: The ops are not registered yet.
        unsafe { xcap_direct_may_share(&raw mut registration.ops) };
        let mut hook = Self {
            registration: ManuallyDrop::new(registration),
            address: target.address,
            armed: false,
            stuck: false,
        };
        hook.rearm()?;
        Ok(hook)
    }

    /// How the function's entry reaches us.
    pub(crate) fn variant(&self) -> Variant {
        self.registration.variant()
    }

    /// Whether the current task is in a call that returns through it.
    pub(crate) fn is_on(&self, stack: &OwnStack) -> bool {
        let registration = &self.registration;
        [Some(&registration.own), registration.shared.as_ref()]
            .into_iter()
            .flatten()
            .any(|slot| stack.returns_to(&slot.text()))
    }

    /// Lets calls in again.
    pub(crate) fn rearm(&mut self) -> Result {
        if self.stuck {
            return Err(EBUSY);
        }
        self.registration.shares.store(false, Ordering::Relaxed);
        let mut result = self.register();
        if result == Err(EAGAIN) {
            // The function is livepatched.
            self.registration.share()?;
            result = self.register();
        }
        self.armed = result.is_ok();
        result
    }

    fn register(&mut self) -> Result {
        let entry = self.registration.entry()?;
        let ops = &raw mut self.registration.ops;
        // SAFETY: The ops stay where they are until they are unregistered in `disarm`.
        to_result(unsafe { ftrace_set_filter_ip(ops, self.address as c_ulong, 0, 0) })?;
        // SAFETY: As above; the slot keeps to what ftrace asks of a direct call.
        let result = to_result(unsafe { register_ftrace_direct(ops, entry) });
        if result.is_err() {
            // SAFETY: The filter was set above, and the ops are not registered.
            unsafe { ftrace_free_filter(ops) };
        }
        result
    }

    /// Lets no further call in. Calls that are in flight still return through the slot.
    pub(crate) fn disarm(&mut self) {
        if !core::mem::take(&mut self.armed) {
            return;
        }
        while self.registration.busy.swap(true, Ordering::Acquire) {
            // SAFETY: Called from process context.
            unsafe { msleep(1) };
        }
        let result = self.registration.entry().and_then(|entry| {
            let ops = &raw mut self.registration.ops;
            // SAFETY: Registered by `register`; nobody changes the entry now.
            to_result(unsafe { unregister_ftrace_direct(ops, entry, true) })
        });
        self.registration.busy.store(false, Ordering::Release);
        if let Err(error) = result {
            self.give_up(error);
        }
    }

    /// ftrace has not let the function go: calls come to the slot for ever.
    fn give_up(&mut self, error: Error) {
        pr_err!(
            "the kernel does not unhook the function at {:#x} ({error:?}): xcap stays loaded\n",
            self.address
        );
        self.stuck = true;
        // xcap runs, so that nothing keeps it from being pinned.
        let _ = Pin::take().map(ManuallyDrop::new);
        // The probe's cells go with the probe. Others for ever; without memory there are none.
        if let Ok(cells) = Cells::new() {
            let cells = ManuallyDrop::new(cells);
            let registration = &self.registration;
            for slot in [Some(&registration.own), registration.shared.as_ref()] {
                slot.inspect(|slot| slot.set_cells(cells.as_ptr()));
            }
        }
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        if self.armed {
            self.disarm();
            synchronize();
        }
        if !self.stuck {
            // SAFETY: It is dropped once, here, and ftrace does not know it any more.
            unsafe { ManuallyDrop::drop(&mut self.registration) };
        }
    }
}

/// Waits until no task is in those instructions of a trampoline where its call is not yet, or no
/// longer, counted as in flight. A task may have been preempted there, an idle task interrupted.
pub(crate) fn synchronize() {
    // SAFETY: Called from process context.
    unsafe {
        synchronize_rcu_tasks();
        synchronize_rcu_tasks_rude();
    }
}
