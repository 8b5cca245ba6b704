// SPDX-License-Identifier: GPL-2.0

//! The files in which the kernel shows its types: the kernel exports no way to ask it. What is in
//! them is understood by abi/src/btf.rs.

use super::bindings::xcap_sysfs_open;
use crate::abi::btf::{self, Btf, File, Signature, Unknown};
use core::ptr;
use kernel::{
    bindings::{filp_close, kernel_read},
    error::from_err_ptr,
    prelude::*,
    str::{CStr, CString},
};

/// The file of the kernel's own types, as a module's has the module's name.
const KERNEL: &CStr = c"vmlinux";

/// A file of sysfs' folder `kernel/btf`, opened for reading.
struct Source(*mut kernel::bindings::file);

impl Source {
    fn open(name: &CStr) -> Result<Self> {
        let text = core::str::from_utf8(name.to_bytes()).map_err(|_| EINVAL)?;
        let path = CString::try_from_fmt(fmt!("kernel/btf/{text}"))?;
        // SAFETY: The path is a C string.
        from_err_ptr(unsafe { xcap_sysfs_open(path.as_char_ptr()) }).map(Self)
    }

    fn read(&self) -> Result<KVVec<u8>> {
        // SAFETY: An open file has an inode, and those of sysfs keep their size.
        let size = unsafe { (*(*self.0).f_inode).i_size } as usize;
        let mut bytes = KVVec::from_elem(0, size, GFP_KERNEL)?;
        let mut position = 0;
        while let Some(rest) = bytes
            .get_mut(position as usize..)
            .filter(|rest| !rest.is_empty())
        {
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

fn malformed(_: Unknown) -> Error {
    EINVAL
}

/// A file that was read, and where its types are.
struct Loaded {
    bytes: KVVec<u8>,
    places: KVVec<u32>,
}

impl Loaded {
    fn read(name: &CStr) -> Result<Self> {
        let bytes = Source::open(name)?.read()?;
        let mut places = KVVec::new();
        for place in File::new(&bytes).map_err(malformed)?.places() {
            places.push(place.map_err(malformed)?, GFP_KERNEL)?;
        }
        Ok(Self { bytes, places })
    }

    fn file(&self) -> Result<File<'_>> {
        File::new(&self.bytes).map_err(malformed)
    }
}

/// The types that a command has asked for: megabytes, so that it reads them once and keeps them no
/// longer.
#[derive(Default)]
pub(crate) struct Types {
    kernel: Option<Loaded>,
    module: Option<(CString, Loaded)>,
}

impl Types {
    /// How `function`, of `module` or the kernel's own, is called.
    ///
    /// # Errors
    ///
    /// None but `ENOMEM`: whatever else goes wrong, its arguments are unknown.
    pub(crate) fn signature(
        &mut self,
        function: &CStr,
        module: Option<&CStr>,
    ) -> Result<Signature> {
        let signature = |btf: &Btf<'_>| btf.signature(function.to_bytes());
        Ok(self.ask(module, signature)?.unwrap_or(Signature::UNKNOWN))
    }

    /// Bytes before `member` in `structure`, of `module` or the kernel's own.
    pub(crate) fn offset(
        &mut self,
        structure: &CStr,
        member: &CStr,
        module: Option<&CStr>,
    ) -> Result<Option<u32>> {
        self.ask(module, |btf| {
            btf.offset(structure.to_bytes(), member.to_bytes())
        })
    }

    /// The first argument of `function` that leads to a `structure`: its number from 0, and through
    /// how many pointers.
    pub(crate) fn argument(
        &mut self,
        function: &CStr,
        module: Option<&CStr>,
        structure: &CStr,
    ) -> Result<Option<(u8, u8)>> {
        let argument = self.ask(module, |btf| {
            btf.argument(function.to_bytes(), structure.to_bytes())
        })?;
        Ok(argument.flatten())
    }

    /// What the types of `module`, or the kernel's own, have for an answer.
    ///
    /// # Errors
    ///
    /// None but `ENOMEM`: whatever else goes wrong, it is unknown.
    fn ask<T>(
        &mut self,
        module: Option<&CStr>,
        question: impl FnOnce(&Btf<'_>) -> core::result::Result<T, Unknown>,
    ) -> Result<Option<T>> {
        match self.known(module, question) {
            Err(error) if error == ENOMEM => Err(error),
            answer => Ok(answer.ok()),
        }
    }

    fn known<T>(
        &mut self,
        module: Option<&CStr>,
        question: impl FnOnce(&Btf<'_>) -> core::result::Result<T, Unknown>,
    ) -> Result<T> {
        if self.kernel.is_none() {
            self.kernel = Some(Loaded::read(KERNEL)?);
        }
        if let Some(name) = module {
            if !matches!(&self.module, Some((of, _)) if **of == *name) {
                self.module = None;
                let loaded = Loaded::read(name)?;
                self.module = Some((super::symbols::c_string(name.to_bytes())?, loaded));
            }
        }
        let kernel = self.kernel.as_ref().ok_or(EINVAL)?;
        let below = btf::Types::of_kernel(kernel.file()?, &kernel.places);
        let above = match (module, &self.module) {
            (Some(_), Some((_, loaded))) => Some(
                below
                    .of_module(loaded.file()?, &loaded.places)
                    .map_err(malformed)?,
            ),
            _ => None,
        };
        let btf = Btf {
            kernel: below,
            module: above,
        };
        question(&btf).map_err(malformed)
    }
}
