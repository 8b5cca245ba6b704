// SPDX-License-Identifier: GPL-2.0

//! The commands that `control` takes: one a write.
//!
//! ```text
//! start
//! stop
//! reset
//! calibrate
//! backend=auto|direct|fprobe|kretprobe
//! add FUNCTION [as NAME] [backend=…]
//! add PATTERN [limit=N] [backend=…]
//! del NAME
//! marks on [SIZE] [1/N]
//! marks off
//! transmit on|off
//! only interface NAME | netns NUMBER | pid NUMBER | all [PROBE ...]
//! ```

use super::{commands, draining, marks::Wanted, subject::Subject, symbols::c_string};
use crate::abi::backend::Choice;
use kernel::{
    bindings::{file, loff_t},
    ffi::c_char,
    prelude::*,
    str::CString,
    uaccess::{UserPtr, UserSlice},
};

/// The most that one write can hold.
const LONGEST_COMMAND: usize = 1024;

/// What a pattern adds at most, unless told.
const DEFAULT_LIMIT: usize = 128;

/// What may follow `add FUNCTION`.
struct AddOptions {
    name: Option<CString>,
    backend: Option<Choice>,
    limit: Option<usize>,
}

impl AddOptions {
    fn parse<'a>(mut words: impl Iterator<Item = &'a [u8]>) -> Result<Self> {
        let mut options = Self {
            name: None,
            backend: None,
            limit: None,
        };
        while let Some(word) = words.next() {
            if word == b"as" && options.name.is_none() {
                options.name = Some(name(words.next())?);
            } else if let Some(backend) = word.strip_prefix(b"backend=") {
                options.backend = Some(choice(backend)?);
            } else if let Some(limit) = word.strip_prefix(b"limit=") {
                let limit = core::str::from_utf8(limit).map_err(|_| EINVAL)?;
                options.limit = Some(limit.parse().map_err(|_| EINVAL)?);
            } else {
                return Err(EINVAL);
            }
        }
        Ok(options)
    }
}

/// What follows `backend=`.
fn choice(word: &[u8]) -> Result<Choice> {
    let word = core::str::from_utf8(word).map_err(|_| EINVAL)?;
    Choice::parse(word).ok_or(EINVAL)
}

/// A name of a function, a pattern or a probe.
fn name(word: Option<&[u8]>) -> Result<CString> {
    let word = word.ok_or(EINVAL)?;
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.*?[]-".contains(byte);
    if word.is_empty() || !word.iter().all(allowed) {
        return Err(EINVAL);
    }
    c_string(word)
}

/// Runs a command.
///
/// # Errors
///
/// `EINVAL`: not a command, and nothing was changed. Others are those of the command.
pub(crate) fn run(command: &[u8]) -> Result {
    let mut words = command
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty());
    let verb = words.next().ok_or(EINVAL)?;
    if verb == b"add" {
        return add(words);
    }
    if verb == b"marks" {
        return marks(words);
    }
    if verb == b"transmit" {
        return transmit(words);
    }
    if verb == b"only" {
        return only(words);
    }
    let operand = if verb == b"del" {
        Some(name(words.next())?)
    } else {
        None
    };
    if words.next().is_some() {
        return Err(EINVAL);
    }
    match (verb, operand) {
        (b"start", _) => commands::start(),
        (b"stop", _) => commands::stop(),
        (b"reset", _) => commands::reset(),
        (b"calibrate", _) => commands::calibrate(),
        (_, Some(name)) => draining::delete(&name),
        (verb, _) => match verb.strip_prefix(b"backend=") {
            Some(backend) => draining::choose(choice(backend)?),
            None => Err(EINVAL),
        },
    }
}

fn add<'a>(mut words: impl Iterator<Item = &'a [u8]>) -> Result {
    let function = name(words.next())?;
    let options = AddOptions::parse(words)?;
    let is_pattern = function.to_bytes().iter().any(|byte| b"*?[".contains(byte));
    match (is_pattern, options.name, options.limit) {
        (true, None, limit) => {
            commands::add_matching(&function, limit.unwrap_or(DEFAULT_LIMIT), options.backend)
        }
        (false, name, None) => commands::add(&function, name.as_deref(), options.backend),
        _ => Err(EINVAL),
    }
}

/// What follows `only`.
fn only<'a>(mut words: impl Iterator<Item = &'a [u8]>) -> Result {
    let kind = words.next();
    let subject = match kind {
        Some(b"all") => None,
        Some(kind) => Some(subject(kind, words.next().ok_or(EINVAL)?)?),
        None => return Err(EINVAL),
    };
    let mut names = KVec::new();
    for word in words {
        names.push(name(Some(word))?, GFP_KERNEL)?;
    }
    commands::only(subject, &names)
}

/// Whose calls are to count.
fn subject(kind: &[u8], word: &[u8]) -> Result<Subject> {
    let text = core::str::from_utf8(word).map_err(|_| EINVAL)?;
    let found = match kind {
        b"interface" => Subject::interface(&c_string(word)?),
        b"netns" => Subject::namespace(text.parse().map_err(|_| EINVAL)?),
        b"pid" => Subject::process(text.parse().map_err(|_| EINVAL)?),
        _ => return Err(EINVAL),
    };
    found.inspect_err(|_| {
        let kind = kernel::str::BStr::from_bytes(kind);
        pr_err!("only: no {kind} {text}\n");
    })
}

/// What follows `transmit`.
fn transmit<'a>(mut words: impl Iterator<Item = &'a [u8]>) -> Result {
    match (words.next(), words.next()) {
        (Some(b"on"), None) => commands::add_transmit(),
        (Some(b"off"), None) => draining::delete_transmit(),
        _ => Err(EINVAL),
    }
}

/// What follows `marks`.
fn marks<'a>(mut words: impl Iterator<Item = &'a [u8]>) -> Result {
    let wanted = match words.next() {
        Some(b"off") => None,
        Some(b"on") => {
            let mut wanted = Wanted::DEFAULT;
            for word in &mut words {
                wanted = mark_option(wanted, word).inspect_err(|_| {
                    pr_err!(
                        "marks on {:?}: neither a size nor 1/N, powers of two\n",
                        kernel::str::BStr::from_bytes(word)
                    );
                })?;
            }
            Some(wanted)
        }
        _ => return Err(EINVAL),
    };
    if words.next().is_some() {
        return Err(EINVAL);
    }
    commands::mark(wanted)
}

/// `wanted` with what follows `marks on`: marks that a ring holds, or one of how many frames.
fn mark_option(wanted: Wanted, word: &[u8]) -> Result<Wanted> {
    let word = core::str::from_utf8(word).map_err(|_| EINVAL)?;
    let wanted = match word.strip_prefix("1/") {
        Some(every) => Wanted {
            every: every.parse().map_err(|_| EINVAL)?,
            ..wanted
        },
        None => Wanted {
            size: word.parse().map_err(|_| EINVAL)?,
            ..wanted
        },
    };
    if wanted.is_possible() {
        Ok(wanted)
    } else {
        Err(EINVAL)
    }
}

/// The write operation of whatever file takes commands.
///
/// # Safety
///
/// Called by the kernel, as a file's operation.
pub(crate) unsafe extern "C" fn write(
    _file: *mut file,
    buffer: *const c_char,
    length: usize,
    _position: *mut loff_t,
) -> isize {
    let read_and_run = || -> Result {
        if length > LONGEST_COMMAND {
            return Err(EINVAL);
        }
        let mut command = KVec::new();
        UserSlice::new(UserPtr::from_ptr(buffer.cast_mut().cast()), length)
            .read_all(&mut command, GFP_KERNEL)?;
        run(&command)
    };
    read_and_run().map_or_else(|error| error.to_errno() as isize, |()| length as isize)
}
