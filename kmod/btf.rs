// SPDX-License-Identifier: GPL-2.0

//! What the kernel's own type information says of a function's arguments.
//!
//! The kernel exports no way to ask, so the files that it shows in sysfs are read.
//!
//! C header: [`include/uapi/linux/btf.h`](srctree/include/uapi/linux/btf.h)

use crate::abi::backend::Arguments;
use core::ptr;
use kernel::{
    bindings::{filp_close, filp_open, kernel_read, O_RDONLY},
    error::from_err_ptr,
    prelude::*,
    str::{CStr, CString},
};

/// Registers that arguments are passed in.
const ARGUMENT_REGISTERS: u32 = 6;

/// Typedefs and qualifiers that a type may be wrapped in.
const DEEPEST: u32 = 32;

const MAGIC: u32 = 0xeb9f;

mod kind {
    pub(super) const INT: u32 = 1;
    pub(super) const PTR: u32 = 2;
    pub(super) const ARRAY: u32 = 3;
    pub(super) const STRUCT: u32 = 4;
    pub(super) const UNION: u32 = 5;
    pub(super) const ENUM: u32 = 6;
    pub(super) const TYPEDEF: u32 = 8;
    pub(super) const VOLATILE: u32 = 9;
    pub(super) const CONST: u32 = 10;
    pub(super) const RESTRICT: u32 = 11;
    pub(super) const FUNC: u32 = 12;
    pub(super) const FUNC_PROTO: u32 = 13;
    pub(super) const VAR: u32 = 14;
    pub(super) const DATASEC: u32 = 15;
    pub(super) const DECL_TAG: u32 = 17;
    pub(super) const TYPE_TAG: u32 = 18;
    pub(super) const ENUM64: u32 = 19;
}

/// A file of sysfs, opened for reading.
struct Source(*mut kernel::bindings::file);

impl Source {
    fn open(path: &CStr) -> Result<Self> {
        // SAFETY: The path is a C string.
        from_err_ptr(unsafe { filp_open(path.as_char_ptr(), O_RDONLY as i32, 0) }).map(Self)
    }

    fn read(&self) -> Result<KVVec<u8>> {
        // SAFETY: An open file has an inode, and those of sysfs keep their size.
        let size = unsafe { (*(*self.0).f_inode).i_size } as usize;
        let mut bytes = KVVec::from_elem(0, size, GFP_KERNEL)?;
        let mut position = 0;
        while (position as usize) < size {
            let rest = &mut bytes[position as usize..];
            // SAFETY: The file is open; the buffer has the room.
            let read =
                unsafe { kernel_read(self.0, rest.as_mut_ptr().cast(), rest.len(), &mut position) };
            match read {
                0 => return Err(EINVAL),
                read if read < 0 => return Err(Error::from_errno(read as i32)),
                _ => {}
            }
        }
        Ok(bytes)
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        // SAFETY: Opened by `open`.
        unsafe { filp_close(self.0, ptr::null_mut()) };
    }
}

/// One file: the kernel's, or a module's on top of it.
struct File {
    bytes: KVVec<u8>,
    /// Where each type begins, by number.
    types: KVVec<u32>,
    strings: usize,
    strings_length: usize,
    /// Number of its first type and string, which follow those of the file below.
    first_type: u32,
    first_string: u32,
}

/// How a function is called.
pub(crate) struct Signature {
    pub(crate) arguments: Arguments,
    /// What it returns may take two registers.
    pub(crate) returns_wide: bool,
}

impl Signature {
    /// Of what nothing is known of.
    pub(crate) const UNKNOWN: Self = Self {
        arguments: Arguments::Unknown,
        returns_wide: true,
    };
}

/// A type's fixed part.
#[derive(Clone, Copy)]
struct Type {
    name: u32,
    kind: u32,
    count: usize,
    /// A size or another type's number, as the kind has it.
    other: u32,
    /// Where what follows the fixed part begins.
    rest: usize,
}

fn word(bytes: &[u8], at: usize) -> Result<u32> {
    let bytes = bytes.get(at..at + 4).ok_or(EINVAL)?;
    Ok(u32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
}

impl File {
    fn read(path: &CStr, first_type: u32, first_string: u32) -> Result<Self> {
        let bytes = Source::open(path)?.read()?;
        if word(&bytes, 0)? & 0xffff != MAGIC {
            return Err(EINVAL);
        }
        let header = word(&bytes, 4)? as usize;
        let begin = header + word(&bytes, 8)? as usize;
        let end = begin + word(&bytes, 12)? as usize;
        let strings = header + word(&bytes, 16)? as usize;
        let strings_length = word(&bytes, 20)? as usize;
        let mut file = Self {
            bytes,
            types: KVVec::new(),
            strings,
            strings_length,
            first_type,
            first_string,
        };
        let mut at = begin;
        while at < end {
            file.types.push(at as u32, GFP_KERNEL)?;
            let this = file.at(at)?;
            at = this.rest
                + match this.kind {
                    kind::INT | kind::VAR | kind::DECL_TAG => 4,
                    kind::ARRAY => 12,
                    kind::STRUCT | kind::UNION | kind::DATASEC | kind::ENUM64 => 12 * this.count,
                    kind::ENUM | kind::FUNC_PROTO => 8 * this.count,
                    _ => 0,
                };
        }
        Ok(file)
    }

    fn at(&self, at: usize) -> Result<Type> {
        let info = word(&self.bytes, at + 4)?;
        Ok(Type {
            name: word(&self.bytes, at)?,
            kind: info >> 24 & 0x1f,
            count: (info & 0xffff) as usize,
            other: word(&self.bytes, at + 8)?,
            rest: at + 12,
        })
    }

    /// Whether string number `number` is `text`. Names of functions are in their own file.
    fn is(&self, number: u32, text: &CStr) -> bool {
        let text = text.to_bytes_with_nul();
        number
            .checked_sub(self.first_string)
            .and_then(|offset| {
                let begin = self.strings + offset as usize;
                self.bytes.get(begin..begin + text.len())
            })
            .is_some_and(|name| name == text)
    }
}

/// How `function`, of `module` or the kernel's own, is called.
///
/// # Errors
///
/// None but `ENOMEM`: whatever else goes wrong, its arguments are unknown.
pub(crate) fn signature(function: &CStr, module: Option<&CStr>) -> Result<Signature> {
    match Btf::of(module).and_then(|btf| btf.signature(function)) {
        Err(error) if error != ENOMEM => Ok(Signature::UNKNOWN),
        known => known,
    }
}

/// The kernel's types and, for a module's function, the module's.
struct Btf {
    files: KVec<File>,
}

impl Btf {
    /// The types that `module`'s functions use; none: the kernel's own.
    fn of(module: Option<&CStr>) -> Result<Self> {
        let mut files = KVec::new();
        // Number 0 is `void`, in no file.
        files.push(File::read(c"/sys/kernel/btf/vmlinux", 1, 0)?, GFP_KERNEL)?;
        if let Some(module) = module {
            let name = core::str::from_utf8(module.to_bytes()).map_err(|_| EINVAL)?;
            let path = CString::try_from_fmt(fmt!("/sys/kernel/btf/{name}"))?;
            let (types, strings) = (
                files[0].types.len() as u32 + 1,
                files[0].strings_length as u32,
            );
            files.push(File::read(&path, types, strings)?, GFP_KERNEL)?;
        }
        Ok(Self { files })
    }

    fn get(&self, number: u32) -> Result<(&File, Type)> {
        for file in self.files.iter().rev() {
            if let Some(index) = number.checked_sub(file.first_type) {
                let at = *file.types.get(index as usize).ok_or(EINVAL)?;
                return Ok((file, file.at(at as usize)?));
            }
        }
        Err(EINVAL)
    }

    /// Registers that a value of type `number` takes; none: it may be on the stack.
    fn registers(&self, mut number: u32) -> Result<Option<u32>> {
        for _ in 0..DEEPEST {
            if number == 0 {
                // What follows the named arguments of a variadic function.
                break;
            }
            let (_, this) = self.get(number)?;
            match this.kind {
                kind::PTR => return Ok(Some(1)),
                kind::INT | kind::ENUM | kind::ENUM64 => return Ok(Some(this.other.div_ceil(8))),
                kind::TYPEDEF | kind::VOLATILE | kind::CONST | kind::RESTRICT | kind::TYPE_TAG => {
                    number = this.other
                }
                _ => break,
            }
        }
        Ok(None)
    }

    /// How `function` is called.
    ///
    /// # Errors
    ///
    /// `ENOENT`: nothing is known of it, as when the compiler changed its arguments.
    fn signature(&self, function: &CStr) -> Result<Signature> {
        let file = self.files.last().ok_or(EINVAL)?;
        for &at in file.types.iter() {
            let this = file.at(at as usize)?;
            if this.kind != kind::FUNC || !file.is(this.name, function) {
                continue;
            }
            let (file, prototype) = self.get(this.other)?;
            if prototype.kind != kind::FUNC_PROTO {
                return Err(EINVAL);
            }
            let returned = match prototype.other {
                0 => Some(0),
                number => self.registers(number)?,
            };
            // Where a large structure is to be put, the caller says in a first argument of its own.
            let mut used = Some(u32::from(returned.is_none()));
            for parameter in 0..prototype.count {
                let number = word(&file.bytes, prototype.rest + 8 * parameter + 4)?;
                used = used.zip(self.registers(number)?).map(|(a, b)| a + b);
            }
            return Ok(Signature {
                arguments: match used {
                    Some(used) if used <= ARGUMENT_REGISTERS => Arguments::InRegisters,
                    _ => Arguments::OnStack,
                },
                returns_wide: returned.is_none_or(|registers| registers > 1),
            });
        }
        Err(ENOENT)
    }
}
