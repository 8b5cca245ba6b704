// SPDX-License-Identifier: GPL-2.0

//! The kernel's functions, by name: where they are, what matches a pattern.
//!
//! Kprobes resolve names; `sprint_symbol` names addresses. The kernel exports no list, so patterns
//! walk the text from symbol to symbol.

use super::bindings;
use core::{ops::ControlFlow, ptr};
use kernel::{
    bindings::sprint_symbol,
    error::to_result,
    prelude::*,
    str::{CStr, CString},
};

/// Room for what `sprint_symbol` writes (`KSYM_SYMBOL_LEN`).
const SYMBOL_LENGTH: usize = 1024;

/// Room for a module's name.
const MODULE_NAME_LENGTH: usize = 64;

/// A function of this kernel.
pub(crate) struct Function {
    pub(crate) name: CString,
    /// The module that it is part of; none: the kernel's image.
    pub(crate) module: Option<CString>,
    pub(crate) address: usize,
}

/// An address, taken apart: `name+0xoffset/0xsize [module]`.
struct Symbol<'a> {
    name: &'a [u8],
    module: Option<&'a [u8]>,
    offset: usize,
    size: usize,
}

fn hexadecimal(digits: &[u8]) -> Option<usize> {
    let digits = core::str::from_utf8(digits.strip_prefix(b"0x")?).ok()?;
    usize::from_str_radix(digits, 16).ok()
}

impl<'a> Symbol<'a> {
    /// The symbol that `address` is in, or none.
    fn at(address: usize, buffer: &'a mut [u8; SYMBOL_LENGTH]) -> Option<Self> {
        // SAFETY: The buffer has the room that the function asks for.
        let length = unsafe { sprint_symbol(buffer.as_mut_ptr().cast(), address) };
        let text = buffer.get(..length as usize)?;
        let mut words = text.split(|&byte| byte == b' ');
        let place = words.next()?;
        let plus = place.iter().rposition(|&byte| byte == b'+')?;
        let (name, place) = (&place[..plus], &place[plus + 1..]);
        let slash = place.iter().position(|&byte| byte == b'/')?;
        Some(Self {
            name,
            module: words
                .next()
                .and_then(|word| word.strip_prefix(b"[")?.strip_suffix(b"]")),
            offset: hexadecimal(&place[..slash])?,
            size: hexadecimal(&place[slash + 1..])?,
        })
    }

    fn function(&self, address: usize) -> Result<Function> {
        Ok(Function {
            name: c_string(self.name)?,
            module: self.module.map(c_string).transpose()?,
            address: address - self.offset,
        })
    }
}

/// A C string of `bytes`.
pub(crate) fn c_string(bytes: &[u8]) -> Result<CString> {
    let text = core::str::from_utf8(bytes).map_err(|_| EINVAL)?;
    CString::try_from_fmt(kernel::prelude::fmt!("{text}"))
}

fn buffer() -> Result<KBox<[u8; SYMBOL_LENGTH]>> {
    Ok(KBox::new([0; SYMBOL_LENGTH], GFP_KERNEL)?)
}

/// Resolves names to functions that kprobes accept.
///
/// Keeps disabled kprobes on what it found, so as to wait for RCU once, when dropped. Drop it
/// before a function is armed: where two kprobes met, the kernel leaves a slower one.
pub(crate) struct Resolver(KVec<KBox<bindings::kprobe>>);

impl Resolver {
    pub(crate) fn new() -> Self {
        Self(KVec::new())
    }

    /// The function `name`.
    ///
    /// # Errors
    ///
    /// `ENOENT`: there is none. `EINVAL`: the kernel forbids probes on it.
    pub(crate) fn resolve(&mut self, name: &CStr) -> Result<Function> {
        let mut probe = KBox::new(
            bindings::kprobe {
                symbol_name: name.as_char_ptr(),
                flags: bindings::KPROBE_FLAG_DISABLED,
                ..Default::default()
            },
            GFP_KERNEL,
        )?;
        // SAFETY: The kprobe stays where it is until it is unregistered in `drop`.
        to_result(unsafe { bindings::register_kprobe(&raw mut *probe) })?;
        let address = probe.addr as usize;
        // The name is borrowed.
        probe.symbol_name = ptr::null();
        self.0.push(probe, GFP_KERNEL)?;
        let mut buffer = buffer()?;
        Symbol::at(address, &mut buffer)
            .ok_or(ENOENT)?
            .function(address)
    }
}

impl Drop for Resolver {
    fn drop(&mut self) {
        if self.0.is_empty() {
            return;
        }
        let mut pointers = KVec::new();
        for probe in self.0.iter_mut() {
            let pointer = &raw mut **probe;
            if pointers.push(pointer, GFP_KERNEL).is_err() {
                // SAFETY: Registered by `resolve`.
                unsafe { bindings::unregister_kprobe(pointer) };
            }
        }
        // SAFETY: All of them were registered by `resolve` and are still.
        unsafe { bindings::unregister_kprobes(pointers.as_mut_ptr(), pointers.len() as i32) };
    }
}

/// Calls `visit` with each symbol from `start` to `end`, until it breaks.
fn walk(
    start: usize,
    end: usize,
    visit: &mut dyn FnMut(&Symbol<'_>, usize) -> Result<ControlFlow<()>>,
) -> Result<ControlFlow<()>> {
    let mut buffer = buffer()?;
    let mut address = start;
    while address < end {
        let Some(symbol) = Symbol::at(address, &mut buffer) else {
            break;
        };
        if symbol.name == b"_etext" {
            break;
        }
        let next = address - symbol.offset + symbol.size.max(1);
        if symbol.offset == 0 && visit(&symbol, address)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        address = next.max(address + 1);
    }
    Ok(ControlFlow::Continue(()))
}

/// Where the kernel's text begins: on a boundary of this size.
const TEXT_ALIGN: usize = 0x10_0000;

fn core_start() -> Result<usize> {
    let mut buffer = buffer()?;
    // SAFETY: Returns an address, no more.
    let mut start = unsafe { bindings::xcap_core_text() } as usize & !(TEXT_ALIGN - 1);
    while Symbol::at(start - TEXT_ALIGN, &mut buffer).is_some() {
        start -= TEXT_ALIGN;
    }
    Ok(start)
}

/// All functions for which `wanted` holds, at most `limit`.
///
/// # Errors
///
/// `E2BIG`: there are more.
fn find(limit: usize, mut wanted: impl FnMut(&[u8]) -> bool) -> Result<KVec<Function>> {
    let mut found = KVec::new();
    let mut visit = |symbol: &Symbol<'_>, address: usize| -> Result<ControlFlow<()>> {
        // Padding and cold halves are no functions of their own.
        if symbol.name.starts_with(b"__pfx_") || symbol.name.ends_with(b".cold") {
            return Ok(ControlFlow::Continue(()));
        }
        if wanted(symbol.name) {
            if found.len() == limit {
                return Err(E2BIG);
            }
            found.push(symbol.function(address)?, GFP_KERNEL)?;
        }
        Ok(ControlFlow::Continue(()))
    };
    let _ = walk(core_start()?, usize::MAX, &mut visit)?;
    let mut name = [0; MODULE_NAME_LENGTH];
    for index in 0.. {
        let (mut base, mut size) = (0, 0);
        // SAFETY: The name has the room that the function asks for.
        let more = unsafe {
            bindings::xcap_module_text(index, name.as_mut_ptr().cast(), &mut base, &mut size)
        };
        if more == 0 {
            break;
        }
        let _ = walk(base, base + size, &mut visit)?;
    }
    Ok(found)
}

/// All functions that match `pattern` (`*`, `?`, `[…]`), at most `limit`.
///
/// # Errors
///
/// `E2BIG`: there are more.
pub(crate) fn matching(pattern: &CStr, limit: usize) -> Result<KVec<Function>> {
    let mut name = KVec::new();
    find(limit, |candidate| {
        name.clear();
        let stored = name
            .extend_from_slice(candidate, GFP_KERNEL)
            .and_then(|()| name.extend_from_slice(b"\0", GFP_KERNEL));
        if stored.is_err() {
            return false;
        }
        // SAFETY: Both end in NUL.
        unsafe { bindings::glob_match(pattern.as_char_ptr(), name.as_ptr().cast()) }
    })
}

/// Whether several functions have the name: kprobes would take any of them.
pub(crate) fn is_ambiguous(name: &CStr) -> Result<bool> {
    let name = name.to_bytes();
    Ok(find(usize::MAX, |candidate| candidate == name)?.len() > 1)
}

/// The variants that the compiler made of `function`: `function.constprop.0`, `function.isra.0`, …
pub(crate) fn variants(function: &CStr) -> Result<KVec<Function>> {
    let function = function.to_bytes();
    find(16, |candidate| {
        candidate
            .strip_prefix(function)
            .is_some_and(|suffix| suffix.starts_with(b"."))
    })
}
