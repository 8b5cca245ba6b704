// SPDX-License-Identifier: GPL-2.0

//! The XDP program that hands frames to sockets, as the ELF file that a compiler would make of it.

use object::write::{Error, Object, Relocation, Symbol, SymbolId, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, RelocationFlags, SectionKind, SymbolFlags, SymbolKind,
    SymbolScope,
};
use xcap_frames::Ethertype;

pub const PROGRAM: &str = "redirect";
/// Of sockets, by the card's queue.
pub const SOCKETS: &str = "sockets";

const MAP_OF_XDP_SOCKETS: u32 = 17;
const XDP_PASS: i32 = 2;
const REDIRECT_MAP: i32 = 51;
const LOAD_MAP: u8 = 0x18;
const R_BPF_64_64: u32 = 1;

/// An instruction of BPF's machine.
const fn instruction(code: u8, to: u8, from: u8, offset: i16, number: i32) -> u64 {
    code as u64
        | (to as u64) << 8
        | (from as u64) << 12
        | (offset as u16 as u64) << 16
        | (number as u32 as u64) << 32
}

/// Passes frames of another kind on, and those of a queue that has no socket.
fn instructions(ethertype: Option<Ethertype>) -> Vec<u64> {
    // r1 is the context: data, data_end, …, rx_queue_index.
    let redirect = [
        instruction(0x61, 2, 1, 16, 0),       // r2 = rx_queue_index
        instruction(LOAD_MAP, 1, 0, 0, 0),    // r1 = sockets
        instruction(0, 0, 0, 0, 0),           // … its upper half
        instruction(0xb7, 3, 0, 0, XDP_PASS), // r3 = if there is none
        instruction(0x85, 0, 0, 0, REDIRECT_MAP),
        instruction(0x95, 0, 0, 0, 0), // exit
    ];
    let pass = [
        instruction(0xb7, 0, 0, 0, XDP_PASS), // r0 = XDP_PASS
        instruction(0x95, 0, 0, 0, 0),        // exit
    ];
    let filter = ethertype.map(|ethertype| {
        [
            instruction(0x61, 2, 1, 0, 0),  // r2 = data
            instruction(0x61, 3, 1, 4, 0),  // r3 = data_end
            instruction(0xbf, 4, 2, 0, 0),  // r4 = r2
            instruction(0x07, 4, 0, 0, 14), // r4 += 14
            instruction(0x2d, 4, 3, 8, 0),  // if r4 > r3: pass
            instruction(0x69, 5, 2, 12, 0), // r5 = the ethertype
            instruction(0x55, 5, 0, 6, ethertype.value().to_be().into()), // if it is another: pass
        ]
    });
    let filter = filter.into_iter().flatten();
    filter.chain(redirect).chain(pass).collect()
}

pub fn image(ethertype: Option<Ethertype>, queues: u32) -> Result<Vec<u8>, Error> {
    let mut elf = Object::new(BinaryFormat::Elf, Architecture::Bpf, Endianness::Little);
    let license = elf.add_section(Vec::new(), b"license".to_vec(), SectionKind::Data);
    elf.append_section_data(license, b"GPL\0", 1);

    // Type, sizes of key and value, entries, flags.
    let map = [MAP_OF_XDP_SOCKETS, 4, 4, queues, 0];
    let map: Vec<u8> = map.into_iter().flat_map(u32::to_le_bytes).collect();
    let maps = elf.add_section(Vec::new(), b"maps".to_vec(), SectionKind::Data);
    let sockets = symbol(&mut elf, SOCKETS, SymbolKind::Data, maps, &map);

    let code = instructions(ethertype);
    let bytes: Vec<u8> = code.iter().flat_map(|one| one.to_le_bytes()).collect();
    let text = elf.add_section(Vec::new(), b"xdp".to_vec(), SectionKind::Text);
    symbol(&mut elf, PROGRAM, SymbolKind::Text, text, &bytes);
    let loads_map = code.iter().position(|one| *one as u8 == LOAD_MAP);
    elf.add_relocation(
        text,
        Relocation {
            offset: loads_map.unwrap_or_default() as u64 * 8,
            symbol: sockets,
            addend: 0,
            flags: RelocationFlags::Elf {
                r_type: R_BPF_64_64,
            },
        },
    )?;
    elf.write()
}

fn symbol(
    elf: &mut Object,
    name: &str,
    kind: SymbolKind,
    section: object::write::SectionId,
    data: &[u8],
) -> SymbolId {
    let value = elf.append_section_data(section, data, 8);
    elf.add_symbol(Symbol {
        name: name.into(),
        value,
        size: data.len() as u64,
        kind,
        scope: SymbolScope::Dynamic,
        weak: false,
        section: SymbolSection::Section(section),
        flags: SymbolFlags::None,
    })
}
