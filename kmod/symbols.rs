// SPDX-License-Identifier: GPL-2.0

//! The kernel's functions, by name: where they are, what matches a pattern.
//!
//! Kprobes resolve names; `sprint_symbol` names addresses. The kernel exports no list, so patterns
//! walk the text from symbol to symbol.

use super::{bindings, errors, sort::sort};
use core::ptr;
use kernel::{
    bindings::{ftrace_free_filter, ftrace_ops, ftrace_set_filter_ip, sprint_symbol},
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

    /// The function, where it is now: of its own module, whatever others call theirs.
    ///
    /// # Errors
    ///
    /// As [`Resolver::resolve`].
    pub(crate) fn resolve_again(&mut self, function: &Function) -> Result<Function> {
        match &function.module {
            Some(module) => {
                let (module, name) = (module.to_bytes(), function.name.to_bytes());
                let module = core::str::from_utf8(module).map_err(|_| EINVAL)?;
                let name = core::str::from_utf8(name).map_err(|_| EINVAL)?;
                self.resolve(&CString::try_from_fmt(fmt!("{module}:{name}"))?)
            }
            None => self.resolve(&function.name),
        }
    }

    /// The function `name`, or `module:name`.
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
        // From registering on nothing may fail before it is in the list.
        self.0.reserve(1, GFP_KERNEL)?;
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

/// Calls `visit` with each symbol from `start` to `end`.
fn walk(start: usize, end: usize, visit: &mut dyn FnMut(&Symbol<'_>, usize) -> Result) -> Result {
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
        if symbol.offset == 0 {
            visit(&symbol, address)?;
        }
        address = next.max(address + 1);
    }
    Ok(())
}

/// Where the kernel's text begins: on a boundary of this size.
const TEXT_ALIGN: usize = 0x10_0000;

fn core_start() -> Result<usize> {
    let mut buffer = buffer()?;
    let mut start = core_text() & !(TEXT_ALIGN - 1);
    while Symbol::at(start - TEXT_ALIGN, &mut buffer).is_some() {
        start -= TEXT_ALIGN;
    }
    Ok(start)
}

/// Calls `visit` with each function, the kernel's and the modules'.
fn each(visit: &mut dyn FnMut(&Symbol<'_>, usize) -> Result) -> Result {
    let mut visit = |symbol: &Symbol<'_>, address: usize| {
        // Padding and cold halves are no functions of their own.
        if symbol.name.starts_with(b"__pfx_") || symbol.name.ends_with(b".cold") {
            Ok(())
        } else {
            visit(symbol, address)
        }
    };
    walk(core_start()?, usize::MAX, &mut visit)?;
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
        walk(base, base + size, &mut visit)?;
    }
    Ok(())
}

/// All functions that match `pattern` (`*`, `?`, `[…]`), at most `limit`; but for those that have
/// one name, which can't be told apart.
///
/// # Errors
///
/// `E2BIG`: there are more.
pub(crate) fn matching(pattern: &CStr, limit: usize) -> Result<KVec<Function>> {
    let mut name = KVec::new();
    let mut found = KVec::new();
    each(&mut |symbol, address| {
        name.clear();
        name.extend_from_slice(symbol.name, GFP_KERNEL)?;
        name.extend_from_slice(b"\0", GFP_KERNEL)?;
        // SAFETY: Both end in NUL.
        if unsafe { bindings::glob_match(pattern.as_char_ptr(), name.as_ptr().cast()) } {
            if found.len() == limit {
                return Err(E2BIG);
            }
            found.push(symbol.function(address)?, GFP_KERNEL)?;
        }
        Ok(())
    })?;
    let mut traceable = KVec::new();
    let mut resolver = Resolver::new();
    for function in &found {
        let namesakes = found.iter().filter(|other| *other.name == *function.name);
        if namesakes.count() == 1 && is_traceable(function.address)? {
            if let Ok(function) = resolver.resolve_again(function) {
                traceable.push(function, GFP_KERNEL)?;
            }
        }
    }
    Ok(traceable)
}

/// Whether ftrace has a place at the entry of the function at `address`.
///
/// Elsewhere the kernel would have to put a breakpoint. Setting one up reads the whole function to
/// the end of its symbol's size, which for the last of a module's is beyond what is mapped.
pub(crate) fn is_traceable(address: usize) -> Result<bool> {
    let mut ops = KBox::new(ftrace_ops::default(), GFP_KERNEL)?;
    let ops = &raw mut *ops;
    // SAFETY: The ops are ours, and never registered.
    let result = to_result(unsafe { ftrace_set_filter_ip(ops, address, 0, 1) });
    // SAFETY: As above.
    unsafe { ftrace_free_filter(ops) };
    match result {
        Err(error) if error == ENOMEM => Err(error),
        result => Ok(result.is_ok()),
    }
}

/// Where functions are, by a hash of their names less what the compiler appended.
///
/// Good until a module comes or goes.
pub(crate) struct Index {
    /// Hash and distance from [`core_text`], in order.
    entries: KVVec<(u32, i32)>,
}

/// `function` of `function.constprop.0`.
fn stem(name: &[u8]) -> &[u8] {
    let end = name.iter().position(|&byte| byte == b'.');
    &name[..end.unwrap_or(name.len())]
}

/// FNV-1a.
fn hash(name: &[u8]) -> u32 {
    stem(name).iter().fold(0x811c_9dc5, |hash, &byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

/// Some address in the kernel's own text.
fn core_text() -> usize {
    // SAFETY: Returns an address, no more.
    unsafe { bindings::xcap_core_text() }
}

impl Index {
    pub(crate) fn new() -> Result<Self> {
        let mut entries = KVVec::new();
        let base = core_text();
        each(&mut |symbol, address| {
            // Modules and the kernel's text are within reach of a 32-bit branch.
            let distance = address.wrapping_sub(base) as i32;
            Ok(entries.push((hash(symbol.name), distance), GFP_KERNEL)?)
        })?;
        sort(&mut entries);
        Ok(Self { entries })
    }

    /// The function `name`, or the one variant that the compiler made of it.
    ///
    /// # Errors
    ///
    /// `ENOENT`: there is none. `EADDRNOTAVAIL`: there are several. `EINVAL`: it can't be probed.
    pub(crate) fn resolve(&self, name: &CStr) -> Result<Function> {
        let wanted = name.to_bytes();
        let mut buffer = buffer()?;
        let (mut exact, mut variants) = (KVec::new(), KVec::new());
        let begin = self
            .entries
            .partition_point(|&(hashed, _)| hashed < hash(wanted));
        for &(hashed, distance) in &self.entries[begin..] {
            if hashed != hash(wanted) {
                break;
            }
            let address = core_text().wrapping_add_signed(distance as isize);
            let Some(symbol) = Symbol::at(address, &mut buffer) else {
                continue;
            };
            if symbol.name == wanted {
                exact.push(symbol.function(address)?, GFP_KERNEL)?;
            } else if stem(symbol.name) == wanted {
                variants.push(symbol.function(address)?, GFP_KERNEL)?;
            }
        }
        let mut found = if exact.is_empty() { variants } else { exact };
        let function = found.pop().ok_or(ENOENT)?;
        if !found.is_empty() {
            return Err(errors::ambiguous());
        }
        if !is_traceable(function.address)? {
            return Err(EINVAL);
        }
        Resolver::new().resolve_again(&function)
    }
}
