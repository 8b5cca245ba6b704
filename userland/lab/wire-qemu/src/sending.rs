// SPDX-License-Identifier: GPL-2.0

//! An offer under way.

use crate::qemu::{self, NetClient, Timer};
use crate::user;
use std::ffi::c_void;
use std::fs::File;
use std::io::Write;
use std::sync::{Mutex, PoisonError};
use xcap_abi::mark::frame;
use xcap_wire::{Offer, Offered};

/// The lab's name for the cable.
const CABLE: &std::ffi::CStr = c"cable";

/// Offers begin at a multiple of this, so that they meet the machine's timers alike.
const GRID_NS: u64 = 4_000_000;

struct Sending {
    offer: Offer,
    cable: *mut NetClient,
    so_far: Offered,
    /// The machine's instructions when the first frame came.
    before: u64,
    /// … and those in user mode.
    user_before: u64,
}

// SAFETY: The cable is used only with QEMU's lock held.
unsafe impl Send for Sending {}

struct Clockwork(std::cell::UnsafeCell<Timer>);

// SAFETY: QEMU uses the timer under locks of its own.
unsafe impl Sync for Clockwork {}

static TIMER: Clockwork = Clockwork(std::cell::UnsafeCell::new(Timer::new()));
static UNDER_WAY: Mutex<Option<Sending>> = Mutex::new(None);
static ANSWERS: Mutex<Option<File>> = Mutex::new(None);

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub fn answer_to(answers: File) {
    *locked(&ANSWERS) = Some(answers);
}

/// Has the offer's frames sent, from the next multiple of the grid.
pub fn begin(offer: Offer) -> Result<(), String> {
    qemu::alone(|| {
        let cable = qemu::cable(CABLE).ok_or("the machine has no cable")?;
        let mut under_way = locked(&UNDER_WAY);
        if under_way.is_some() {
            return Err("another one is under way".to_owned());
        }
        *under_way = Some(Sending {
            offer,
            cable,
            so_far: Offered::default(),
            before: 0,
            user_before: 0,
        });
        drop(under_way);
        let timer = TIMER.0.get();
        // SAFETY: The timer is static, and QEMU's lock is held; none is set, since no offer was under way.
        unsafe {
            qemu::init_timer(timer, due);
            qemu::set_timer(timer, (qemu::now() / GRID_NS + 2) * GRID_NS);
        }
        Ok(())
    })
}

/// The next frame's moment, or the end of watching.
unsafe extern "C" fn due(_: *mut c_void) {
    let mut under_way = locked(&UNDER_WAY);
    let Some(sending) = under_way.as_mut() else {
        return;
    };
    match sending.step() {
        // SAFETY: It is this timer that has expired, and QEMU's lock is held while it calls this.
        Some(next) => unsafe { qemu::set_timer(TIMER.0.get(), next) },
        None => {
            let answer = sending.so_far;
            *under_way = None;
            drop(under_way);
            tell(&answer);
        }
    }
}

impl Sending {
    /// Does what is due now; says when something is again.
    fn step(&mut self) -> Option<u64> {
        let now = qemu::now();
        let so_far = &mut self.so_far;
        if so_far.first_ns == 0 {
            so_far.first_ns = now;
            so_far.last_ns = now;
            self.before = qemu::instructions();
            self.user_before = user::executed();
        }
        if so_far.offered < self.offer.count {
            if let Some(payload) = self.offer.frame.get_mut(frame::HEADER_SIZE..) {
                // One that is too short for its number goes without.
                frame::set_number(payload, so_far.offered);
            }
            // SAFETY: QEMU has this cable, and calls this with its lock held.
            let arrived = unsafe { qemu::send(self.cable, &self.offer.frame) };
            so_far.offered += 1;
            so_far.lost += u64::from(!arrived);
            so_far.last_ns = now;
            if so_far.offered < self.offer.count {
                return Some(so_far.first_ns + so_far.offered * self.offer.gap_ns);
            }
        }
        let end = so_far.last_ns + self.offer.settle_ns;
        if now < end {
            return Some(end);
        }
        so_far.end_ns = now;
        so_far.instructions = qemu::instructions() - self.before;
        so_far.user_instructions = user::executed() - self.user_before;
        None
    }
}

fn tell(answer: &Offered) {
    let line = format!("{answer}\n");
    let told = match locked(&ANSWERS).as_mut() {
        Some(answers) => answers.write_all(line.as_bytes()),
        None => Ok(()),
    };
    if let Err(e) = told {
        eprintln!("xcap: the lab can't be told what became of an offer: {e}");
    }
}
