// SPDX-License-Identifier: GPL-2.0

//! Marks are read as they were written, and nothing that isn't a stream or a numbered frame is.

use proptest::collection::vec;
use proptest::prelude::*;
use xcap_abi::mark::{self, frame, Fault, Header, Mark, Stream, XenTime};

fn marks() -> impl Strategy<Value = Vec<Mark>> {
    let mark = (any::<[u64; 3]>(), any::<[u16; 2]>(), any::<[u32; 3]>());
    let mark = mark.prop_map(
        |([entry, exit, frame], [place, cpu], [flags, count, lost])| Mark {
            entry,
            exit,
            frame,
            place,
            cpu,
            flags,
            count,
            lost,
        },
    );
    vec(mark, 0..23)
}

/// Names as stages and functions have them.
fn names() -> impl Strategy<Value = Vec<String>> {
    vec("[a-z_.0-9]{1,63}", 0..7)
}

fn header(names: &[String]) -> Header {
    Header {
        magic: mark::MAGIC,
        version: mark::VERSION,
        header_size: (Header::SIZE + names.len() * mark::NAME_SIZE) as u32,
        mark_size: Mark::SIZE as u32,
        places: names.len() as u32,
        role: mark::padded(b"dom0"),
        tsc_khz: 2_600_000,
        every: 1,
        cpus: 2,
        ring: 65536,
    }
}

fn written(header: Header, names: &[String], marks: &[Mark]) -> Vec<u8> {
    let mut bytes = header.to_bytes().to_vec();
    for name in names {
        bytes.extend(mark::padded::<{ mark::NAME_SIZE }>(name.as_bytes()));
    }
    bytes.extend(marks.iter().flat_map(|mark| mark.to_bytes()));
    bytes
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(names in names(), marks in marks()) {
        let header = header(&names);
        let bytes = written(header, &names, &marks);
        let stream = Stream::parse(&bytes).unwrap();
        prop_assert_eq!(stream.header, header);
        prop_assert_eq!(stream.role(), "dom0");
        prop_assert_eq!(stream.places().collect::<Vec<_>>(), names.clone());
        prop_assert_eq!(stream.marks().collect::<Vec<_>>(), marks);
        prop_assert_eq!(stream.remainder(), 0);
        for (place, name) in names.iter().enumerate() {
            prop_assert_eq!(stream.place(place as u16), Some(name.as_str()));
        }
        prop_assert_eq!(stream.place(names.len() as u16), None);
        prop_assert_eq!(stream.place(mark::NO_PLACE), None);
    }

    #[test]
    fn readings_of_xens_time_are_told_from_calls(after: u64, before: u64, nanoseconds: u64) {
        let time = XenTime { after, before, nanoseconds };
        let mark = Mark::of_bytes(&Mark::reading(time).to_bytes()).unwrap();
        prop_assert_eq!((mark.time(), mark.number()), (Some(time), None));
        prop_assert_eq!(mark.place, mark::NO_PLACE);
        prop_assert_eq!(Mark::loss(0, 23).time(), None);
    }

    /// A newer writer's header and marks are longer.
    #[test]
    fn fields_that_are_not_known_are_skipped(
        names in names(), marks in marks(), more in 0..9_usize, longer in 0..9_usize
    ) {
        let mut header = header(&names);
        header.header_size += more as u32;
        header.mark_size += longer as u32;
        let mut bytes = header.to_bytes().to_vec();
        bytes.extend(vec![0xff; more]);
        bytes.extend(&written(header, &names, &[])[Header::SIZE..]);
        for mark in &marks {
            bytes.extend(mark.to_bytes());
            bytes.extend(vec![0xff; longer]);
        }
        let stream = Stream::parse(&bytes).unwrap();
        prop_assert_eq!(stream.places().collect::<Vec<_>>(), names);
        prop_assert_eq!(stream.marks().collect::<Vec<_>>(), marks);
    }

    #[test]
    fn a_stream_that_was_cut_has_its_whole_marks(names in names(), marks in marks(), at in 0.0..1.0) {
        let bytes = written(header(&names), &names, &marks);
        let at = (bytes.len() as f64 * at) as usize;
        let before = Header::SIZE + names.len() * mark::NAME_SIZE;
        match Stream::parse(&bytes[..at]) {
            Ok(stream) => {
                let whole = (at - before) / Mark::SIZE;
                prop_assert_eq!(stream.marks().collect::<Vec<_>>(), &marks[..whole]);
                prop_assert_eq!(stream.remainder(), (at - before) % Mark::SIZE);
            }
            Err(fault) => {
                prop_assert_eq!(fault, Fault::Cut);
                prop_assert!(at < before);
            }
        }
    }

    #[test]
    fn no_bytes_upset_the_reader(bytes in vec(any::<u8>(), 0..400), begins in any::<bool>()) {
        let mut bytes = bytes;
        if begins {
            bytes.splice(0..0, header(&[]).to_bytes()[..16].to_vec());
        }
        if let Ok(stream) = Stream::parse(&bytes) {
            prop_assert!(stream.marks().count() <= bytes.len() / Mark::SIZE);
        }
    }

    #[test]
    fn a_frame_says_the_number_that_it_was_given(number in any::<u64>(), length in 0..99_usize) {
        let mut frame = vec![0x55; frame::HEADER_SIZE + length];
        frame[12..14].copy_from_slice(&frame::ETHERTYPE.to_be_bytes());
        let before = frame.clone();
        if frame::set_number(&mut frame[frame::HEADER_SIZE..], number) {
            prop_assert_eq!(frame::number(&frame), Some(number));
            let end = frame::HEADER_SIZE + frame::SIZE;
            prop_assert_eq!(&frame[end..], &before[end..]);
        } else {
            prop_assert!(length < frame::SIZE);
            prop_assert_eq!(&frame, &before);
        }
    }

    /// But one bit is wrong, and it has no number.
    #[test]
    fn no_other_frame_has_a_number(number in any::<u64>(), bit in 0..48_usize) {
        let mut frame = [0; frame::HEADER_SIZE + frame::SIZE];
        frame[12..14].copy_from_slice(&frame::ETHERTYPE.to_be_bytes());
        prop_assert!(frame::set_number(&mut frame[frame::HEADER_SIZE..], number));
        prop_assert_eq!(frame::number(&frame[..frame.len() - 1]), None);
        frame[12 + bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(frame::number(&frame), None);
    }
}

#[test]
fn version_1_stays_as_it_is() {
    assert_eq!(Header::SIZE, 64);
    assert_eq!(Mark::SIZE, 40);
    let header = header(&[]).to_bytes();
    assert_eq!(&header[..12], b"xcapmark\x01\0\0\0");
    assert_eq!(&header[24..40], b"dom0\0\0\0\0\0\0\0\0\0\0\0\0");
    let mark = Mark::loss(3, 0x0102_0304).to_bytes();
    assert_eq!(&mark[24..28], [0xff, 0xff, 3, 0]);
    assert_eq!(&mark[36..], [4, 3, 2, 1]);
}

#[test]
fn another_version_is_named() {
    let mut header = header(&[]);
    header.version = 2;
    let fault = Stream::parse(&header.to_bytes()).unwrap_err();
    assert_eq!(fault, Fault::Version(2));
    assert_eq!(
        fault.to_string(),
        "marks of version 2; this program knows 1"
    );
    assert_eq!(Stream::parse(b"# xcap stats 1").unwrap_err(), Fault::Magic);
}

#[test]
fn a_long_name_is_cut() {
    let field: [u8; 8] = mark::padded(b"a_long_name");
    assert_eq!(&field, b"a_long_\0");
    assert_eq!(mark::text(&field), "a_long_");
}
