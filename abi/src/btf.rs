// SPDX-License-Identifier: GPL-2.0

//! BTF, the types of a kernel or of a module: what they say of how a function is called, and of where
//! a member of a structure is.
//!
//! Modules bring files of their own, so nothing in them is trusted: what is not understood, or lies
//! outside, is an error, never a guess.
//!
//! C header: `include/uapi/linux/btf.h`

use super::backend::Arguments;
use core::ops::Range;

/// Registers that arguments are passed in.
const ARGUMENT_REGISTERS: u32 = 6;

/// Typedefs and qualifiers that a type may be wrapped in.
const DEEPEST: u32 = 32;

const MAGIC: u32 = 0xeb9f;

/// Of a type, before what its kind adds.
const FIXED_PART: usize = 12;

mod kind {
    pub(super) const INT: u32 = 1;
    pub(super) const PTR: u32 = 2;
    pub(super) const ARRAY: u32 = 3;
    pub(super) const STRUCT: u32 = 4;
    pub(super) const UNION: u32 = 5;
    pub(super) const ENUM: u32 = 6;
    pub(super) const FWD: u32 = 7;
    pub(super) const TYPEDEF: u32 = 8;
    pub(super) const VOLATILE: u32 = 9;
    pub(super) const CONST: u32 = 10;
    pub(super) const RESTRICT: u32 = 11;
    pub(super) const FUNC: u32 = 12;
    pub(super) const FUNC_PROTO: u32 = 13;
    pub(super) const VAR: u32 = 14;
    pub(super) const DATASEC: u32 = 15;
    pub(super) const FLOAT: u32 = 16;
    pub(super) const DECL_TAG: u32 = 17;
    pub(super) const TYPE_TAG: u32 = 18;
    pub(super) const ENUM64: u32 = 19;
}

/// Why nothing is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// No function of that name, as when the compiler changed its arguments.
    Function,
    /// No structure of that name, or no such member in it.
    Structure,
    /// Several of that name are called differently.
    Ambiguous,
    /// The file is not as BTF is, or newer than what is understood here.
    Malformed,
}

/// How a function is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    /// How it takes its arguments.
    pub arguments: Arguments,
    /// What it returns may take two registers.
    pub returns_wide: bool,
}

impl Signature {
    /// Of what nothing is known of.
    pub const UNKNOWN: Self = Self {
        arguments: Arguments::Unknown,
        returns_wide: true,
    };
}

/// A type, less what its kind adds.
#[derive(Clone, Copy)]
struct Type {
    name: u32,
    kind: u32,
    count: usize,
    /// A size or another type's number, as the kind has it.
    other: u32,
    /// Where what its kind adds begins.
    rest: usize,
}

impl Type {
    /// Bytes that its kind adds.
    fn added(&self) -> Result<usize, Unknown> {
        let (one, each) = match self.kind {
            kind::INT | kind::VAR | kind::DECL_TAG => (4, 0),
            kind::ARRAY => (12, 0),
            kind::STRUCT | kind::UNION | kind::DATASEC | kind::ENUM64 => (0, 12),
            kind::ENUM | kind::FUNC_PROTO => (0, 8),
            kind::PTR
            | kind::FWD
            | kind::TYPEDEF
            | kind::VOLATILE
            | kind::CONST
            | kind::RESTRICT
            | kind::FUNC
            | kind::FLOAT
            | kind::TYPE_TAG => (0, 0),
            _ => return Err(Unknown::Malformed),
        };
        self.count
            .checked_mul(each)
            .and_then(|all| all.checked_add(one))
            .ok_or(Unknown::Malformed)
    }
}

fn word(bytes: &[u8], at: usize) -> Result<u32, Unknown> {
    let end = at.checked_add(4).ok_or(Unknown::Malformed)?;
    let bytes = bytes.get(at..end).ok_or(Unknown::Malformed)?;
    let bytes = bytes.try_into().map_err(|_| Unknown::Malformed)?;
    Ok(u32::from_ne_bytes(bytes))
}

/// One file: the kernel's, or a module's on top of it.
#[derive(Clone, Debug)]
pub struct File<'a> {
    bytes: &'a [u8],
    types: Range<usize>,
    strings: Range<usize>,
}

impl<'a> File<'a> {
    /// A file of these bytes, of which the header is looked at.
    ///
    /// # Errors
    ///
    /// It is malformed.
    pub fn new(bytes: &'a [u8]) -> Result<Self, Unknown> {
        if word(bytes, 0)? & 0xffff != MAGIC {
            return Err(Unknown::Malformed);
        }
        let header = word(bytes, 4)? as usize;
        let section = |at| {
            let begin = header.checked_add(word(bytes, at)? as usize);
            let length = word(bytes, at + 4)? as usize;
            begin
                .and_then(|begin| Some(begin..begin.checked_add(length)?))
                .filter(|section| section.end <= bytes.len())
                .ok_or(Unknown::Malformed)
        };
        Ok(Self {
            bytes,
            types: section(8)?,
            strings: section(16)?,
        })
    }

    /// Where each type begins, in the order of their numbers, as long as they are understood.
    pub fn places(&self) -> impl Iterator<Item = Result<u32, Unknown>> + use<'a> {
        let file = self.clone();
        let mut next = self.types.start;
        core::iter::from_fn(move || {
            let at = next;
            if at >= file.types.end {
                return None;
            }
            let place = file.after(at).and_then(|after| {
                next = after;
                u32::try_from(at).map_err(|_| Unknown::Malformed)
            });
            if place.is_err() {
                next = file.types.end;
            }
            Some(place)
        })
    }

    /// Where the type at `at` ends.
    fn after(&self, at: usize) -> Result<usize, Unknown> {
        let this = self.at(at)?;
        this.rest
            .checked_add(this.added()?)
            .filter(|&end| end <= self.types.end)
            .ok_or(Unknown::Malformed)
    }

    fn at(&self, at: usize) -> Result<Type, Unknown> {
        // The fixed part is three words.
        let name = word(self.bytes, at)?;
        let info = word(self.bytes, at + 4)?;
        let other = word(self.bytes, at + 8)?;
        Ok(Type {
            name,
            kind: info >> 24 & 0x7f,
            count: (info & 0xff_ffff) as usize,
            other,
            rest: at + FIXED_PART,
        })
    }

    /// Whether what begins `offset` bytes into the strings is `text`.
    fn is(&self, offset: u32, text: &[u8]) -> bool {
        let strings = self.bytes.get(self.strings.clone()).unwrap_or_default();
        strings
            .get(offset as usize..)
            .and_then(|rest| rest.strip_prefix(text))
            .is_some_and(|rest| rest.first() == Some(&0))
    }
}

/// A file, and where its types are: what [`File::places`] said.
#[derive(Clone, Debug)]
pub struct Types<'a> {
    file: File<'a>,
    places: &'a [u32],
    /// Number of its first type and string, which follow those of the file below.
    first_type: u32,
    first_string: u32,
}

impl<'a> Types<'a> {
    /// The kernel's own types. Number 0 is `void`, in no file.
    pub fn of_kernel(file: File<'a>, places: &'a [u32]) -> Self {
        Self {
            file,
            places,
            first_type: 1,
            first_string: 0,
        }
    }

    /// A module's types, which `self`, the kernel's, are the base of.
    ///
    /// # Errors
    ///
    /// There are too many.
    pub fn of_module(&self, file: File<'a>, places: &'a [u32]) -> Result<Self, Unknown> {
        let types = u32::try_from(self.places.len()).map_err(|_| Unknown::Malformed)?;
        let strings = u32::try_from(self.file.strings.len()).map_err(|_| Unknown::Malformed)?;
        Ok(Self {
            file,
            places,
            first_type: types
                .checked_add(self.first_type)
                .ok_or(Unknown::Malformed)?,
            first_string: strings,
        })
    }

    fn get(&self, number: u32) -> Result<Type, Unknown> {
        let index = number.checked_sub(self.first_type);
        let place = index.and_then(|index| self.places.get(index as usize));
        self.file.at(*place.ok_or(Unknown::Malformed)? as usize)
    }

    /// Whether its string number `number` is `text`. Names of functions are in their own file.
    fn is(&self, number: u32, text: &[u8]) -> bool {
        number
            .checked_sub(self.first_string)
            .is_some_and(|offset| self.file.is(offset, text))
    }
}

/// The types that a function is made of: the kernel's, and for a module's function the module's.
#[derive(Clone, Debug)]
pub struct Btf<'a> {
    /// The kernel's.
    pub kernel: Types<'a>,
    /// Those of the module on top.
    pub module: Option<Types<'a>>,
}

impl<'a> Btf<'a> {
    /// Type number `number`, and the types that it is among.
    fn get(&self, number: u32) -> Result<(&Types<'a>, Type), Unknown> {
        let types = match &self.module {
            Some(module) if number >= module.first_type => module,
            _ => &self.kernel,
        };
        Ok((types, types.get(number)?))
    }

    /// Registers that a value of type `number` takes; none: it may be on the stack.
    fn registers(&self, mut number: u32) -> Result<Option<u32>, Unknown> {
        for _ in 0..DEEPEST {
            if number == 0 {
                // What follows the named arguments of a variadic function.
                break;
            }
            let (_, this) = self.get(number)?;
            match this.kind {
                kind::PTR => return Ok(Some(1)),
                kind::INT | kind::ENUM | kind::ENUM64 => {
                    return match this.other {
                        1 | 2 | 4 | 8 => Ok(Some(1)),
                        16 => Ok(Some(2)),
                        _ => Err(Unknown::Malformed),
                    }
                }
                kind::TYPEDEF | kind::VOLATILE | kind::CONST | kind::RESTRICT | kind::TYPE_TAG => {
                    number = this.other
                }
                _ => break,
            }
        }
        Ok(None)
    }

    /// How the function of type `number` is called.
    fn prototype(&self, number: u32) -> Result<Signature, Unknown> {
        let (types, prototype) = self.get(number)?;
        if prototype.kind != kind::FUNC_PROTO {
            return Err(Unknown::Malformed);
        }
        let returned = match prototype.other {
            0 => Some(0),
            number => self.registers(number)?,
        };
        // Where a large structure is to be put, the caller says in a first argument of its own.
        let mut used = Some(u32::from(returned.is_none()));
        for parameter in 0..prototype.count {
            let number = word(types.file.bytes, prototype.rest + 8 * parameter + 4)?;
            used = used
                .zip(self.registers(number)?)
                .map(|(some, more)| some.saturating_add(more))
                .filter(|&used| used <= ARGUMENT_REGISTERS);
            if used.is_none() {
                break;
            }
        }
        Ok(Signature {
            arguments: match used {
                Some(_) => Arguments::InRegisters,
                None => Arguments::OnStack,
            },
            returns_wide: returned.is_none_or(|registers| registers > 1),
        })
    }

    /// Whether string number `number`, of a type that is among `types`, is `text`.
    fn is(&self, types: &Types<'_>, number: u32, text: &[u8]) -> bool {
        if number < types.first_string {
            self.kernel.is(number, text)
        } else {
            types.is(number, text)
        }
    }

    /// All types that `choose` chooses by their kind: the module's, and then the kernel's.
    fn all<'b>(
        &'b self,
        choose: impl Fn(u32) -> bool + 'b,
    ) -> impl Iterator<Item = Result<(&'b Types<'a>, Type), Unknown>> + 'b {
        let both = self.module.iter().chain([&self.kernel]);
        let types = both.flat_map(|types| types.places.iter().map(move |&place| (types, place)));
        types
            .map(|(types, place)| Ok((types, types.file.at(place as usize)?)))
            .filter(move |one| one.as_ref().map_or(true, |(_, this)| choose(this.kind)))
    }

    /// Bytes before the member of that name in the structure of that name.
    ///
    /// # Errors
    ///
    /// Why that is not known.
    pub fn offset(&self, structure: &[u8], member: &[u8]) -> Result<u32, Unknown> {
        for one in self.all(|kind| kind == kind::STRUCT) {
            let (types, this) = one?;
            if !self.is(types, this.name, structure) {
                continue;
            }
            for index in 0..this.count {
                let at = this.rest + 12 * index;
                if !self.is(types, word(types.file.bytes, at)?, member) {
                    continue;
                }
                // In bits; the top byte is the width of a bit field, if there are any.
                let bits = word(types.file.bytes, at + 8)?;
                return if bits % 8 == 0 && bits >> 24 == 0 {
                    Ok(bits / 8)
                } else {
                    Err(Unknown::Malformed)
                };
            }
        }
        Err(Unknown::Structure)
    }

    /// The first argument of `function` that points, or points to what points, to a structure of
    /// that name: its number from 0, and through how many pointers. None: no argument does, of
    /// those in registers of their own.
    ///
    /// # Errors
    ///
    /// Why that is not known.
    pub fn argument(&self, function: &[u8], structure: &[u8]) -> Result<Option<(u8, u8)>, Unknown> {
        if self.signature(function)?.arguments != Arguments::InRegisters {
            return Ok(None);
        }
        let types = self.module.as_ref().unwrap_or(&self.kernel);
        for &place in types.places {
            let this = types.file.at(place as usize)?;
            if this.kind != kind::FUNC || !types.is(this.name, function) {
                continue;
            }
            let (types, prototype) = self.get(this.other)?;
            // What is returned in memory, and what takes two registers, moves those that follow.
            let returned = prototype.other;
            if returned != 0 && self.registers(returned)?.is_none() {
                return Ok(None);
            }
            for parameter in 0..prototype.count {
                let number = word(types.file.bytes, prototype.rest + 8 * parameter + 4)?;
                if let Some(pointers) = self.pointers(number, structure)? {
                    let argument = u8::try_from(parameter).map_err(|_| Unknown::Malformed)?;
                    return Ok(Some((argument, pointers)));
                }
                if self.registers(number)? != Some(1) {
                    return Ok(None);
                }
            }
            return Ok(None);
        }
        Err(Unknown::Function)
    }

    /// Through how many pointers type `number` leads to the structure; none: it doesn't.
    fn pointers(&self, mut number: u32, structure: &[u8]) -> Result<Option<u8>, Unknown> {
        let mut pointers = 0;
        for _ in 0..DEEPEST {
            if number == 0 {
                break;
            }
            let (types, this) = self.get(number)?;
            match this.kind {
                kind::PTR => pointers += 1,
                kind::TYPEDEF | kind::VOLATILE | kind::CONST | kind::RESTRICT | kind::TYPE_TAG => {}
                kind::STRUCT | kind::FWD if self.is(types, this.name, structure) => {
                    return Ok(Some(pointers).filter(|&pointers| pointers > 0));
                }
                _ => break,
            }
            number = this.other;
        }
        Ok(None)
    }

    /// How `function` is called: the module's, where there is one.
    ///
    /// # Errors
    ///
    /// Why that is not known.
    pub fn signature(&self, function: &[u8]) -> Result<Signature, Unknown> {
        let types = self.module.as_ref().unwrap_or(&self.kernel);
        let mut found = None;
        for &place in types.places {
            let this = types.file.at(place as usize)?;
            if this.kind != kind::FUNC || !types.is(this.name, function) {
                continue;
            }
            let signature = self.prototype(this.other)?;
            if *found.get_or_insert(signature) != signature {
                return Err(Unknown::Ambiguous);
            }
        }
        found.ok_or(Unknown::Function)
    }
}
