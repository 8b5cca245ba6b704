// SPDX-License-Identifier: GPL-2.0

//! libpcap, as tcpdump uses it.

use std::ffi::{c_char, c_int, c_uchar, c_void, CStr, CString};
use std::os::fd::BorrowedFd;
use std::ptr::{null_mut, NonNull};

use nix::errno::Errno;
use xcap_frames::{Error, Ethertype, Interface, PacketSocket};

use crate::source::Source;
use crate::tally::Taken;

/// How long frames may wait for more, as in tcpdump.
const TIMEOUT_MS: c_int = 100;

/// All of a frame.
const SNAPSHOT: c_int = 262_144;

/// `PCAP_D_IN`: what comes in.
const INWARD: c_int = 1;

/// `PCAP_ERRBUF_SIZE`
const ERROR_ROOM: usize = 256;

/// `PCAP_NETMASK_UNKNOWN`
const NO_NETMASK: u32 = u32::MAX;

enum Handle {}

#[repr(C)]
struct Filter {
    length: u32,
    instructions: *mut c_void,
}

#[repr(C)]
struct Header {
    time: libc::timeval,
    captured: u32,
    length: u32,
}

type Handler = extern "C" fn(*mut c_uchar, *const Header, *const c_uchar);

/// Debian's libpcap.a has all that it can capture from, D-Bus too, and so wants libdbus. That wants of libsystemd, of
/// which there is no libsystemd.a, what a server would: the sockets that systemd passed to it. None were.
#[no_mangle]
extern "C" fn sd_listen_fds(_unset: c_int) -> c_int {
    0
}

#[no_mangle]
extern "C" fn sd_is_socket(_fd: c_int, _family: c_int, _kind: c_int, _listening: c_int) -> c_int {
    0
}

#[link(name = "pcap")]
#[link(name = "dbus-1")]
extern "C" {
    fn pcap_create(device: *const c_char, error: *mut c_char) -> *mut Handle;
    fn pcap_set_snaplen(handle: *mut Handle, bytes: c_int) -> c_int;
    fn pcap_set_timeout(handle: *mut Handle, ms: c_int) -> c_int;
    fn pcap_set_buffer_size(handle: *mut Handle, bytes: c_int) -> c_int;
    fn pcap_activate(handle: *mut Handle) -> c_int;
    fn pcap_setdirection(handle: *mut Handle, direction: c_int) -> c_int;
    fn pcap_compile(
        handle: *mut Handle,
        filter: *mut Filter,
        text: *const c_char,
        optimise: c_int,
        netmask: u32,
    ) -> c_int;
    fn pcap_setfilter(handle: *mut Handle, filter: *mut Filter) -> c_int;
    fn pcap_fileno(handle: *mut Handle) -> c_int;
    fn pcap_dispatch(
        handle: *mut Handle,
        count: c_int,
        handler: Handler,
        user: *mut c_uchar,
    ) -> c_int;
    fn pcap_geterr(handle: *mut Handle) -> *mut c_char;
}

pub struct Libpcap(NonNull<Handle>);

impl Libpcap {
    /// Captures from now on; the socket is libpcap's own, for its statistics.
    pub fn open(
        interface: &Interface,
        ethertype: Option<Ethertype>,
        bytes: u64,
    ) -> Result<(Self, PacketSocket), Error> {
        let name = text(interface.name.clone())?;
        let mut error = [0; ERROR_ROOM];
        // SAFETY: A C string, and a buffer as long as libpcap says that it must be.
        let handle = unsafe { pcap_create(name.as_ptr(), error.as_mut_ptr()) };
        let Some(handle) = NonNull::new(handle) else {
            // SAFETY: It failed, and so has written a C string there.
            let why = unsafe { CStr::from_ptr(error.as_ptr()) };
            return Err(Error::Libpcap(why.to_string_lossy().into_owned()));
        };
        let this = Self(handle);
        let bytes = c_int::try_from(bytes).unwrap_or(c_int::MAX);
        let this_one = handle.as_ptr();
        // SAFETY: The handle is not yet active, and nobody else has it.
        unsafe {
            pcap_set_snaplen(this_one, SNAPSHOT);
            pcap_set_timeout(this_one, TIMEOUT_MS);
            pcap_set_buffer_size(this_one, bytes);
            this.well(pcap_activate(this_one))?;
            this.well(pcap_setdirection(this_one, INWARD))?;
        }
        if let Some(ethertype) = ethertype {
            let wanted = text(format!("ether proto {ethertype}"))?;
            let mut filter = Filter {
                length: 0,
                instructions: null_mut(),
            };
            // SAFETY: The handle is active; the filter is written by the one, read by the other.
            unsafe {
                let made = pcap_compile(this_one, &mut filter, wanted.as_ptr(), 1, NO_NETMASK);
                this.well(made)?;
                this.well(pcap_setfilter(this_one, &mut filter))?;
            }
        }
        // SAFETY: An active handle's socket is open as long as the handle, which is never closed.
        let socket = unsafe { BorrowedFd::borrow_raw(pcap_fileno(this_one)) };
        let socket = socket.try_clone_to_owned().map_err(|error| {
            let errno = Errno::from_raw(error.raw_os_error().unwrap_or_default());
            Error::while_doing("sharing libpcap's socket")(errno)
        })?;
        let socket = PacketSocket::from(socket);
        // What came before the filter isn't of this capture.
        socket.statistics()?;
        Ok((this, socket))
    }

    fn well(&self, status: c_int) -> Result<(), Error> {
        // Above 0 are warnings.
        if status >= 0 {
            return Ok(());
        }
        // SAFETY: The handle is there, and has a C string of what failed last.
        let why = unsafe { CStr::from_ptr(pcap_geterr(self.0.as_ptr())) };
        Err(Error::Libpcap(why.to_string_lossy().into_owned()))
    }
}

fn text(text: String) -> Result<CString, Error> {
    CString::new(text).map_err(|error| Error::Libpcap(error.to_string()))
}

extern "C" fn count(taken: *mut c_uchar, header: *const Header, _frame: *const c_uchar) {
    // SAFETY: `take` passes a `Taken` that is its own alone, and libpcap a header, for this call.
    unsafe {
        let taken = &mut *taken.cast::<Taken>();
        taken.frames += 1;
        taken.bytes += u64::from((*header).length);
    }
}

impl Source for Libpcap {
    #[inline]
    fn take(&mut self, room: u64) -> Result<Taken, Errno> {
        let mut taken = Taken::default();
        let most = c_int::try_from(room).unwrap_or(c_int::MAX);
        let counted = (&raw mut taken).cast();
        // SAFETY: The handle is this thread's; `count` takes what is passed for what it is.
        match unsafe { pcap_dispatch(self.0.as_ptr(), most, count, counted) } {
            0.. => Ok(taken),
            _ => Err(Errno::last()),
        }
    }
}
