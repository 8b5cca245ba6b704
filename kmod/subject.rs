// SPDX-License-Identifier: GPL-2.0

//! Who calls may be counted of alone: an interface, a network namespace, a process.

use super::{
    bindings::{
        xcap_find_interface, xcap_find_namespace, xcap_find_process, xcap_has_origin,
        xcap_has_process, xcap_origin,
    },
    scope::{Same, Scope, Told},
};
use core::ptr::NonNull;
use kernel::{
    bindings::{pid, put_pid},
    prelude::*,
    str::{CStr, CString},
    sync::Arc,
};

/// A process' number, which is not another's as long as it is held, though the process ends.
struct Process(NonNull<pid>);

// SAFETY: It is reference-counted, and read under RCU.
unsafe impl Send for Process {}
// SAFETY: As above.
unsafe impl Sync for Process {}

impl Drop for Process {
    fn drop(&mut self) {
        // SAFETY: Got by `xcap_find_process`.
        unsafe { put_pid(self.0.as_ptr()) };
    }
}

/// What it is.
enum Who {
    /// An interface, or all of a namespace. Nothing is held: a cookie is never another namespace's.
    Origin(xcap_origin),
    Process(Process),
}

/// Whose calls count.
pub(crate) struct Subject {
    pub(crate) same: Same,
    who: Who,
    /// As `stats` has it.
    pub(crate) text: CString,
}

impl Subject {
    /// The interface of this name in the network namespace of the current task.
    pub(crate) fn interface(name: &CStr) -> Result<Self> {
        let mut origin = xcap_origin::default();
        // SAFETY: A C string, and room for what is found.
        if !unsafe { xcap_find_interface(name.as_char_ptr(), &raw mut origin) } {
            return Err(ENODEV);
        }
        let name = core::str::from_utf8(name.to_bytes()).map_err(|_| EINVAL)?;
        Ok(Self {
            same: Same::Interface,
            who: Who::Origin(origin),
            text: CString::try_from_fmt(fmt!("interface:{name}"))?,
        })
    }

    /// The network namespace with this inode number.
    pub(crate) fn namespace(number: u32) -> Result<Self> {
        let mut origin = xcap_origin::default();
        // SAFETY: There is room for what is found.
        if !unsafe { xcap_find_namespace(number, &raw mut origin) } {
            return Err(ENOENT);
        }
        Ok(Self {
            same: Same::Namespace,
            who: Who::Origin(origin),
            text: CString::try_from_fmt(fmt!("netns:{number}"))?,
        })
    }

    /// The process with this number in the PID namespace of the current task.
    pub(crate) fn process(number: i32) -> Result<Self> {
        // SAFETY: Called from process context.
        let found = NonNull::new(unsafe { xcap_find_process(number) });
        Ok(Self {
            same: Same::Process,
            who: Who::Process(Process(found.ok_or(ESRCH)?)),
            text: CString::try_from_fmt(fmt!("pid:{number}"))?,
        })
    }

    /// What calls are compared with, and an interface's number.
    fn words(&self) -> (u64, u32) {
        match &self.who {
            Who::Origin(origin) => (origin.namespace, origin.interface),
            Who::Process(process) => (process.0.as_ptr() as u64, 0),
        }
    }

    /// Whether there is such a one still.
    pub(crate) fn is_there(&self) -> bool {
        match &self.who {
            // SAFETY: Reads what was found before.
            Who::Origin(origin) => unsafe { xcap_has_origin(origin) },
            // SAFETY: It is held.
            Who::Process(process) => unsafe { xcap_has_process(process.0.as_ptr()) },
        }
    }
}

/// A probe's scope: whose calls count, and how they tell.
pub(crate) struct Scoped {
    pub(crate) subject: Arc<Subject>,
    pub(crate) told: Told,
}

impl Scoped {
    /// As the probe's cells are to have it.
    pub(crate) fn scope(&self) -> Scope {
        let (subject, interface) = self.subject.words();
        Scope {
            same: self.subject.same,
            subject,
            interface,
            told: self.told,
        }
    }
}
