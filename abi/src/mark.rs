// SPDX-License-Identifier: GPL-2.0

//! The binary stream of the file `marks`: which frame was at which place, from when to when.
//!
//! A [`Header`]; the names of the places, of [`NAME_SIZE`] bytes each and in the order of their
//! numbers; then [`Mark`]s until the file ends. All integers are little-endian, times are TSC
//! ticks of the kernel that wrote it. Under Xen, readings of a time that all domains share are
//! among the marks ([`TIME`]): one when the file is opened, others whenever it was read to its end.
//!
//! A mark is written when the place's function has returned, into a ring of the CPU that it
//! returned on. So marks of one CPU are in the order of their exits, but for interrupts, and those
//! of several CPUs are in no order: sort by `entry`.
//!
//! A frame says its own number where its payload begins: [`frame`].
//!
//! Later versions add fields to the end of the header and of the mark, and flags: a reader goes by
//! `header_size` and `mark_size`. What would break it raises [`VERSION`].

/// What the stream begins with.
pub const MAGIC: [u8; 8] = *b"xcapmark";

/// Version of the format.
pub const VERSION: u32 = 1;

/// Bytes that the name of a place has, filled up with 0. A longer name is cut.
pub const NAME_SIZE: usize = 64;

/// The mark is of the frame number `frame`. Without it, of no frame in particular: what the place
/// does for several frames at once, or before it has one.
pub const FRAME: u32 = 1;

/// `count` is known.
pub const COUNT: u32 = 2;

/// Meanwhile another task ran on the CPU, or the call moved to another CPU.
pub const SWITCHED: u32 = 4;

/// No call, but a reading of Xen's time: between `entry` and `exit`, `frame` nanoseconds had passed
/// since Xen booted. That is the same time in all its domains, whose ticks may differ.
pub const TIME: u32 = 8;

/// The place of what is no call: a reading of Xen's time, or else what says by `cpu` and `lost` what
/// that CPU has lost since its last mark.
pub const NO_PLACE: u16 = u16::MAX;

/// Declares what the stream has, field after field, without gaps.
macro_rules! layout {
    (
        $(#[$about:meta])*
        pub struct $name:ident {
            $($(#[$field_about:meta])* $field:ident: $type:ty,)+
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(C)]
        pub struct $name {
            $($(#[$field_about])* pub $field: $type,)+
        }

        impl $name {
            /// Bytes that it has in the stream.
            pub const SIZE: usize = 0 $(+ core::mem::size_of::<$type>())+;

            /// As it is in the stream.
            pub fn to_bytes(self) -> [u8; Self::SIZE] {
                let mut bytes = [0; Self::SIZE];
                let mut rest = &mut bytes[..];
                $(rest = self.$field.put(rest);)+
                debug_assert!(rest.is_empty());
                bytes
            }

            /// The one that is at the beginning of `bytes`; none: they are too few.
            pub fn of_bytes(bytes: &[u8]) -> Option<Self> {
                let mut rest = bytes.get(..Self::SIZE)?;
                $(let $field = <$type>::take(&mut rest)?;)+
                debug_assert!(rest.is_empty());
                Some(Self { $($field,)+ })
            }
        }
    };
}

/// What a field of the stream can be.
trait Field: Sized {
    /// Writes it to where `bytes` begin, and returns the rest.
    fn put(self, bytes: &mut [u8]) -> &mut [u8];

    /// Takes it from where `bytes` begin.
    fn take(bytes: &mut &[u8]) -> Option<Self>;
}

impl<const SIZE: usize> Field for [u8; SIZE] {
    fn put(self, bytes: &mut [u8]) -> &mut [u8] {
        let (here, rest) = bytes.split_at_mut(SIZE);
        here.copy_from_slice(&self);
        rest
    }

    fn take(bytes: &mut &[u8]) -> Option<Self> {
        let (here, rest) = bytes.split_first_chunk()?;
        *bytes = rest;
        Some(*here)
    }
}

macro_rules! integers {
    ($($type:ty)+) => {
        $(impl Field for $type {
            fn put(self, bytes: &mut [u8]) -> &mut [u8] {
                self.to_le_bytes().put(bytes)
            }

            fn take(bytes: &mut &[u8]) -> Option<Self> {
                Field::take(bytes).map(Self::from_le_bytes)
            }
        })+
    };
}

integers!(u16 u32 i32 u64);

layout! {
    /// What a stream begins with; the names of the places follow.
    pub struct Header {
        /// [`MAGIC`].
        magic: [u8; 8],
        /// [`VERSION`].
        version: u32,
        /// Bytes before the first mark, with the names of the places.
        header_size: u32,
        /// Bytes from one mark to the next.
        mark_size: u32,
        /// How many places there are.
        places: u32,
        /// The word of the kernel's [`Role`](super::role::Role), filled up with 0.
        role: [u8; 16],
        /// Ticks in a millisecond.
        tsc_khz: u64,
        /// Of frames with a number, those leave marks whose number divides by it.
        every: u64,
        /// CPUs that may leave marks: their numbers are less.
        cpus: u32,
        /// Marks that the ring of one CPU holds until they are read.
        ring: u32,
    }
}

layout! {
    /// One call at a place.
    pub struct Mark {
        /// When the function was entered.
        entry: u64,
        /// When it returned.
        exit: u64,
        /// The frame's number, if `flags` has [`FRAME`].
        frame: u64,
        /// Which of the header's places.
        place: u16,
        /// The CPU that it returned on.
        cpu: u16,
        /// [`FRAME`], [`COUNT`], [`SWITCHED`], [`TIME`].
        flags: u32,
        /// What the call did, if `flags` has [`COUNT`]: the frames that it polled, for example.
        count: u32,
        /// Marks that this CPU has had no room for, up to this one; goes on at 0 after 2^32.
        lost: u32,
    }
}

// A mark in memory is one in the stream, as far as little-endian machines go.
const _: () = assert!(core::mem::size_of::<Mark>() == Mark::SIZE);

impl Mark {
    /// Whether `flags` has this one.
    pub fn has(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    /// The number of its frame, if it is of one.
    pub fn number(&self) -> Option<u64> {
        self.has(FRAME).then_some(self.frame)
    }

    /// What says that CPU number `cpu` has lost so many.
    pub fn loss(cpu: u16, lost: u32) -> Self {
        Self {
            entry: 0,
            exit: 0,
            frame: 0,
            place: NO_PLACE,
            cpu,
            flags: 0,
            count: 0,
            lost,
        }
    }

    /// A reading of Xen's time.
    pub fn reading(time: XenTime) -> Self {
        Self {
            entry: time.after,
            exit: time.before,
            frame: time.nanoseconds,
            flags: TIME,
            ..Self::loss(0, 0)
        }
    }

    /// The reading of Xen's time that it is, if it is one.
    pub fn time(&self) -> Option<XenTime> {
        self.has(TIME).then_some(XenTime {
            after: self.entry,
            before: self.exit,
            nanoseconds: self.frame,
        })
    }
}

/// A reading of Xen's time: what it was at some tick between two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct XenTime {
    /// It was later than this tick…
    pub after: u64,
    /// … and before this one.
    pub before: u64,
    /// Since Xen booted.
    pub nanoseconds: u64,
}

/// `text` as a field of the stream: filled up with 0, cut where it is too long.
pub fn padded<const SIZE: usize>(text: &[u8]) -> [u8; SIZE] {
    let mut field = [0; SIZE];
    // At least one 0, so that C takes it, too.
    for (to, from) in field[..SIZE - 1].iter_mut().zip(text) {
        *to = *from;
    }
    field
}

/// What [`padded`] made a field of. What is not text reads as `?`.
pub fn text(field: &[u8]) -> &str {
    let length = field.iter().position(|&byte| byte == 0);
    core::str::from_utf8(&field[..length.unwrap_or(field.len())]).unwrap_or("?")
}

/// Why bytes are no stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// They end within the header.
    Cut,
    /// They don't begin with [`MAGIC`].
    Magic,
    /// A version that this reader doesn't know.
    Version(u32),
    /// The header's sizes can't be.
    Sizes,
}

impl core::fmt::Display for Fault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Fault::Cut => write!(f, "the stream of marks ends within its header"),
            Fault::Magic => write!(f, "no stream of marks: it doesn't begin with \"xcapmark\""),
            Fault::Version(version) => {
                write!(
                    f,
                    "marks of version {version}; this program knows {VERSION}"
                )
            }
            Fault::Sizes => write!(f, "the stream of marks has a header that can't be"),
        }
    }
}

impl core::error::Error for Fault {}

/// A stream that was read.
#[derive(Clone, Copy, Debug)]
pub struct Stream<'a> {
    pub header: Header,
    names: &'a [u8],
    marks: &'a [u8],
}

impl<'a> Stream<'a> {
    /// Reads the header of a stream.
    ///
    /// # Errors
    ///
    /// It is none, or none that this reader knows.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Fault> {
        if !bytes.starts_with(&MAGIC[..bytes.len().min(MAGIC.len())]) {
            return Err(Fault::Magic);
        }
        let header = Header::of_bytes(bytes).ok_or(Fault::Cut)?;
        if header.version != VERSION {
            return Err(Fault::Version(header.version));
        }
        let names_size = (header.places as usize).saturating_mul(NAME_SIZE);
        let header_size = header.header_size as usize;
        if header_size < Header::SIZE.saturating_add(names_size)
            || (header.mark_size as usize) < Mark::SIZE
        {
            return Err(Fault::Sizes);
        }
        if bytes.len() < header_size {
            return Err(Fault::Cut);
        }
        let (head, marks) = bytes.split_at(header_size);
        Ok(Self {
            header,
            names: &head[header_size - names_size..],
            marks,
        })
    }

    /// The word of the role of the kernel that wrote it.
    pub fn role(&self) -> &str {
        text(&self.header.role)
    }

    /// The names of the places, in the order of their numbers.
    pub fn places(&self) -> impl ExactSizeIterator<Item = &'a str> {
        self.names.chunks_exact(NAME_SIZE).map(text)
    }

    /// The name of a place.
    pub fn place(&self, place: u16) -> Option<&'a str> {
        self.places().nth(place.into())
    }

    /// All marks, in the order in which they were read; those that say what was lost as well.
    pub fn marks(&self) -> impl Iterator<Item = Mark> + 'a {
        let size = self.header.mark_size as usize;
        self.marks.chunks_exact(size).filter_map(Mark::of_bytes)
    }

    /// Bytes at the end that are no whole mark: whoever wrote the stream was stopped.
    pub fn remainder(&self) -> usize {
        self.marks.len() % self.header.mark_size as usize
    }
}

/// How a frame says its number.
pub mod frame {
    /// What kind of packet such a frame says that it carries: X.25.
    pub const ETHERTYPE: u16 = 0x0805;

    /// What its payload begins with.
    pub const MAGIC: [u8; 4] = *b"xcap";

    /// Bytes before the payload: two addresses, and the kind of packet.
    pub const HEADER_SIZE: usize = 14;

    /// Bytes that the payload has to have: the magic and the number, big-endian.
    pub const SIZE: usize = MAGIC.len() + 8;

    /// Where a frame says its kind.
    const ETHERTYPE_AT: usize = HEADER_SIZE - 2;

    /// Writes a frame's number to where its payload begins. False: it is too short, and stays as it is.
    pub fn set_number(payload: &mut [u8], number: u64) -> bool {
        let Some(payload) = payload.get_mut(..SIZE) else {
            return false;
        };
        let (magic, digits) = payload.split_at_mut(MAGIC.len());
        magic.copy_from_slice(&MAGIC);
        digits.copy_from_slice(&number.to_be_bytes());
        true
    }

    /// The number that a frame, from its Ethernet header on, says it has; none: it is no such frame.
    pub fn number(frame: &[u8]) -> Option<u64> {
        let frame: &[u8; HEADER_SIZE + SIZE] = frame.first_chunk()?;
        let (header, payload) = frame.split_at(HEADER_SIZE);
        let (magic, digits) = payload.split_at(MAGIC.len());
        let is_ours = header[ETHERTYPE_AT..] == ETHERTYPE.to_be_bytes() && magic == MAGIC;
        is_ours.then_some(u64::from_be_bytes(digits.try_into().ok()?))
    }
}
