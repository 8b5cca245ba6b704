// SPDX-License-Identifier: GPL-2.0

//! What BTF says of functions; and that no file, whatever is in it, makes more of the parser than an answer.

use proptest::prelude::*;
use xcap_abi::backend::Arguments;
use xcap_abi::btf::{Btf, File, Signature, Types, Unknown};

const INT: u32 = 1;
const PTR: u32 = 2;
const STRUCT: u32 = 4;
const TYPEDEF: u32 = 8;
const CONST: u32 = 10;
const FUNC: u32 = 12;
const FUNC_PROTO: u32 = 13;

/// Bytes of the header.
const HEADER: u32 = 24;

/// A file in the making.
#[derive(Clone, Default)]
struct Writer {
    types: Vec<u32>,
    strings: Vec<u8>,
}

impl Writer {
    fn new() -> Self {
        Self {
            types: Vec::new(),
            strings: vec![0],
        }
    }

    fn name(&mut self, text: &str) -> u32 {
        let at = self.strings.len() as u32;
        self.strings.extend_from_slice(text.as_bytes());
        self.strings.push(0);
        at
    }

    /// A type without what its kind adds.
    fn fixed(&mut self, name: u32, kind: u32, count: u32, other: u32) -> &mut Self {
        self.types.extend([name, kind << 24 | count, other]);
        self
    }

    fn int(&mut self, size: u32) -> &mut Self {
        self.fixed(0, INT, 0, size).types.push((size * 8) & 0xff);
        self
    }

    /// A function's type, number `number`, and the function, which is the next.
    fn function(&mut self, name: &str, number: u32, returned: u32, arguments: &[u32]) {
        self.fixed(0, FUNC_PROTO, arguments.len() as u32, returned);
        for &argument in arguments {
            self.types.extend([0, argument]);
        }
        let name = self.name(name);
        self.fixed(name, FUNC, 1, number);
    }

    fn bytes(&self) -> Vec<u8> {
        let length = 4 * self.types.len() as u32;
        let header = [
            0x0001_eb9f,
            HEADER,
            0,
            length,
            length,
            self.strings.len() as u32,
        ];
        let words = header.iter().chain(&self.types);
        let mut bytes: Vec<u8> = words.flat_map(|word| word.to_ne_bytes()).collect();
        bytes.extend_from_slice(&self.strings);
        bytes
    }
}

fn places(file: &File<'_>) -> Result<Vec<u32>, Unknown> {
    file.places().collect()
}

fn signature(bytes: &[u8], function: &str) -> Result<Signature, Unknown> {
    let file = File::new(bytes)?;
    let places = places(&file)?;
    let btf = Btf {
        kernel: Types::of_kernel(file, &places),
        module: None,
    };
    btf.signature(function.as_bytes())
}

/// 1 and 2: integers of 4 and 16 bytes; 3: a pointer; 4: a structure of 24 bytes; 5: an integer by another name.
fn writer() -> Writer {
    let mut writer = Writer::new();
    writer.int(4).int(16);
    writer.fixed(0, PTR, 0, 1);
    writer.fixed(0, STRUCT, 0, 24);
    writer.fixed(0, TYPEDEF, 0, 1);
    writer
}

fn called(returned: u32, arguments: &[u32]) -> Result<Signature, Unknown> {
    let mut writer = writer();
    writer.function("called", 6, returned, arguments);
    signature(&writer.bytes(), "called")
}

#[test]
fn registers_are_counted() {
    let in_registers =
        |arguments: &[u32]| called(0, arguments).unwrap().arguments == Arguments::InRegisters;
    assert!(in_registers(&[]));
    assert!(in_registers(&[1, 3, 5, 1, 1, 1]));
    assert!(!in_registers(&[1, 3, 5, 1, 1, 1, 1]));
    assert!(in_registers(&[2, 2, 2]));
    assert!(!in_registers(&[2, 2, 2, 1]));
    assert!(!in_registers(&[4]), "a structure by value");
    assert!(!in_registers(&[1, 0]), "a variadic function");
}

#[test]
fn what_is_returned_may_be_wide() {
    assert!(!called(0, &[]).unwrap().returns_wide);
    assert!(!called(5, &[]).unwrap().returns_wide);
    assert!(called(2, &[]).unwrap().returns_wide);
    let structure = called(4, &[1, 1, 1, 1, 1, 1]).unwrap();
    assert!(structure.returns_wide);
    assert_eq!(
        structure.arguments,
        Arguments::OnStack,
        "where it is to be put takes a register"
    );
}

#[test]
fn a_module_s_types_follow_the_kernel_s() {
    let kernel = writer();
    let mut module = Writer::default();
    let strings = kernel.strings.len() as u32;
    module.fixed(0, FUNC_PROTO, 2, 0).types.extend([0, 3, 0, 2]);
    module.strings.extend_from_slice(b"of_module\0");
    // Its first string, of its sixth and seventh types.
    module.fixed(strings, FUNC, 1, 6);
    let (kernel, module) = (kernel.bytes(), module.bytes());
    let (kernel, module) = (File::new(&kernel).unwrap(), File::new(&module).unwrap());
    let (below, above) = (places(&kernel).unwrap(), places(&module).unwrap());
    let kernel = Types::of_kernel(kernel, &below);
    let module = kernel.of_module(module, &above).unwrap();
    let btf = Btf {
        kernel,
        module: Some(module),
    };
    let signature = btf.signature(b"of_module").unwrap();
    assert_eq!(signature.arguments, Arguments::InRegisters);
    assert_eq!(btf.signature(b"other"), Err(Unknown::Function));
}

/// 6: a structure `queue` with `head` at byte 16, whose last member is a bit field; 7: a pointer to that; 8: one to
/// 7; 9: a qualified 7.
fn with_queue() -> Writer {
    let mut writer = writer();
    let (queue, head, bits) = (
        writer.name("queue"),
        writer.name("head"),
        writer.name("bits"),
    );
    writer.fixed(queue, STRUCT | 0x80, 3, 24);
    writer.types.extend([0, 1, 0, head, 3, 16 * 8, bits, 1]);
    writer.types.push((3 << 24) | (24 * 8));
    writer.fixed(0, PTR, 0, 6);
    writer.fixed(0, PTR, 0, 7);
    writer.fixed(0, CONST, 0, 7);
    writer
}

fn asked<T>(
    writer: &Writer,
    ask: impl FnOnce(&Btf<'_>) -> Result<T, Unknown>,
) -> Result<T, Unknown> {
    let bytes = writer.bytes();
    let file = File::new(&bytes)?;
    let places = places(&file)?;
    ask(&Btf {
        kernel: Types::of_kernel(file, &places),
        module: None,
    })
}

#[test]
fn members_are_where_the_types_say() {
    let writer = with_queue();
    let offset =
        |structure: &[u8], member: &[u8]| asked(&writer, |btf| btf.offset(structure, member));
    assert_eq!(offset(b"queue", b"head"), Ok(16));
    assert_eq!(offset(b"queue", b"bits"), Err(Unknown::Malformed));
    assert_eq!(offset(b"queue", b"tail"), Err(Unknown::Structure));
    assert_eq!(offset(b"que", b"head"), Err(Unknown::Structure));
}

#[test]
fn the_first_argument_that_leads_to_a_structure_is_found() {
    for (arguments, found) in [
        (&[7][..], Some((0, 1))),
        (&[1, 3, 8, 7], Some((2, 2))),
        (&[5, 9], Some((1, 1))),
        (&[1, 3], None),
        // By value, or after what takes two registers or none.
        (&[6], None),
        (&[2, 7], None),
        (&[4, 7], None),
    ] {
        let mut writer = with_queue();
        writer.function("called", 10, 0, arguments);
        let argument = asked(&writer, |btf| btf.argument(b"called", b"queue"));
        assert_eq!(argument, Ok(found), "{arguments:?}");
    }
    let none = asked(&with_queue(), |btf| btf.argument(b"called", b"queue"));
    assert_eq!(none, Err(Unknown::Function));
}

#[test]
fn one_name_that_means_two_things_is_not_known() {
    let mut writer = writer();
    writer.function("twice", 6, 0, &[1]);
    writer.function("twice", 8, 0, &[1]);
    assert!(signature(&writer.bytes(), "twice").is_ok());
    writer.function("twice", 10, 0, &[4]);
    assert_eq!(signature(&writer.bytes(), "twice"), Err(Unknown::Ambiguous));
}

#[test]
fn a_name_is_whole() {
    let mut writer = writer();
    writer.function("whole", 6, 0, &[]);
    for other in ["who", "wholeness", ""] {
        assert_eq!(
            signature(&writer.bytes(), other),
            Err(Unknown::Function),
            "{other}"
        );
    }
}

#[test]
fn what_is_not_understood_is_no_answer() {
    for size in [0, 3, 32, u32::MAX] {
        let mut writer = Writer::new();
        writer.fixed(0, INT, 0, size).types.push(0);
        writer.function("odd", 2, 0, &[1, 1]);
        assert_eq!(
            signature(&writer.bytes(), "odd"),
            Err(Unknown::Malformed),
            "an integer of {size} bytes"
        );
    }
    for kind in [0, 20, 32 + INT, 127] {
        let mut writer = Writer::new();
        writer.fixed(0, kind, 0, 0);
        writer.function("odd", 2, 0, &[]);
        assert_eq!(
            signature(&writer.bytes(), "odd"),
            Err(Unknown::Malformed),
            "kind {kind}"
        );
    }
    for number in [8, 99, u32::MAX] {
        assert_eq!(
            called(0, &[number]),
            Err(Unknown::Malformed),
            "argument of type {number}"
        );
    }
    let mut writer = Writer::new();
    writer.fixed(0, STRUCT, 0x1_0000, 24);
    writer.function("odd", 2, 0, &[]);
    assert_eq!(
        signature(&writer.bytes(), "odd"),
        Err(Unknown::Malformed),
        "more members than there is room for"
    );
}

#[test]
fn a_type_that_is_made_of_itself_is_on_the_stack() {
    let mut writer = Writer::new();
    writer.fixed(0, TYPEDEF, 0, 1);
    writer.function("round", 2, 0, &[1]);
    let round = signature(&writer.bytes(), "round").unwrap();
    assert_eq!(round.arguments, Arguments::OnStack);
}

#[test]
fn a_file_that_ends_too_early_is_malformed() {
    let mut writer = writer();
    writer.function("last", 6, 0, &[1, 2]);
    let bytes = writer.bytes();
    for length in 0..bytes.len() {
        assert_eq!(
            signature(&bytes[..length], "last"),
            Err(Unknown::Malformed),
            "{length} bytes"
        );
    }
}

/// Whatever it says, it says something.
fn ask(bytes: &[u8], places: &[u32]) {
    let Ok(file) = File::new(bytes) else { return };
    let found: Vec<u32> = file.places().map_while(Result::ok).collect();
    for places in [places, &found] {
        let kernel = Types::of_kernel(file.clone(), places);
        let module = kernel.of_module(file.clone(), places).ok();
        for module in [None, module] {
            let kernel = kernel.clone();
            let btf = Btf { kernel, module };
            let _ = btf.signature(b"f");
            let _ = btf.offset(b"f", b"");
            let _ = btf.argument(b"f", b"");
        }
    }
}

/// Words that are likely to mean something.
fn telling() -> impl Strategy<Value = u32> {
    prop_oneof![
        any::<u32>(),
        0..40_u32,
        (0..24_u32, 0..9_u32).prop_map(|(kind, count)| kind << 24 | count),
        Just(u32::MAX),
    ]
}

proptest! {
    #[test]
    fn any_bytes_are_refused_or_read(bytes in proptest::collection::vec(any::<u8>(), 0..400),
                                     places in proptest::collection::vec(any::<u32>(), 0..4)) {
        ask(&bytes, &places);
    }

    #[test]
    fn any_types_are_refused_or_read(types in proptest::collection::vec(telling(), 0..200),
                                     places in proptest::collection::vec(0..900_u32, 0..9)) {
        let writer = Writer { types, strings: b"\0f\0".to_vec() };
        ask(&writer.bytes(), &places);
    }

    #[test]
    fn any_change_of_a_file_is_refused_or_read(at in 0..42_usize, word in telling()) {
        let mut writer = writer();
        writer.function("f", 6, 5, &[1, 3, 2]);
        let mut bytes = writer.bytes();
        let at = at * 4 % (bytes.len() - 4);
        bytes[at..at + 4].copy_from_slice(&word.to_ne_bytes());
        ask(&bytes, &[]);
    }
}
