// SPDX-License-Identifier: GPL-2.0

//! The least BPF program, as the ELF file that a compiler would make of it.

use anyhow::Result;
use object::write::{Object, Symbol, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, SectionKind, SymbolFlags, SymbolKind, SymbolScope,
};

pub const PROGRAM: &str = "holder";

/// `r0 = 0; exit`
const INSTRUCTIONS: [u64; 2] = [0x00b7, 0x0095];

pub fn image() -> Result<Vec<u8>> {
    let mut elf = Object::new(BinaryFormat::Elf, Architecture::Bpf, Endianness::Little);
    let license = elf.add_section(Vec::new(), b"license".to_vec(), SectionKind::Data);
    elf.append_section_data(license, b"GPL\0", 1);
    let text = elf.add_section(Vec::new(), b"fentry".to_vec(), SectionKind::Text);
    let instructions = INSTRUCTIONS.map(u64::to_le_bytes).concat();
    let value = elf.append_section_data(text, &instructions, 8);
    elf.add_symbol(Symbol {
        name: PROGRAM.into(),
        value,
        size: instructions.len() as u64,
        kind: SymbolKind::Text,
        scope: SymbolScope::Dynamic,
        weak: false,
        section: SymbolSection::Section(text),
        flags: SymbolFlags::None,
    });
    Ok(elf.write()?)
}
