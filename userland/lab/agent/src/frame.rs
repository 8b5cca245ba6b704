// SPDX-License-Identifier: GPL-2.0

//! Messages as lines of text, told apart from whatever else a console prints.
//!
//! A guest's console may echo, translate line ends, take control characters for itself, and mix kernel messages in.
//! A frame survives that: `STX`, the message with its checksum in base64, newline.

use base64::{engine::general_purpose::STANDARD, Engine};
use serde::{de::DeserializeOwned, Serialize};
use std::marker::PhantomData;

const START: u8 = 0x02;
const CHECKSUM: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISCSI);

/// The message as one line.
pub fn encode<T: Serialize>(message: &T) -> Vec<u8> {
    let bytes = postcard::to_stdvec_crc32(message, CHECKSUM.digest())
        .expect("messages hold nothing that postcard refuses");
    let mut line = vec![START];
    line.extend_from_slice(STANDARD.encode(bytes).as_bytes());
    line.push(b'\n');
    line
}

/// What a stretch of console output held.
#[derive(Debug, PartialEq)]
pub enum Item<T> {
    Message(T),
    /// A line that is no frame: console output.
    Text(String),
    /// A frame that didn't arrive whole.
    Garbled(String),
}

/// Takes a console's bytes as they come and gives whole lines.
pub struct Decoder<T> {
    line: Vec<u8>,
    message: PhantomData<T>,
}

impl<T> Default for Decoder<T> {
    fn default() -> Self {
        Self {
            line: Vec::new(),
            message: PhantomData,
        }
    }
}

impl<T: DeserializeOwned> Decoder<T> {
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Item<T>> {
        let mut items = Vec::new();
        for &byte in bytes {
            match byte {
                b'\n' => items.extend(self.end_of_line()),
                START => {
                    items.extend(self.end_of_line());
                    self.line.push(START);
                }
                _ => self.line.push(byte),
            }
        }
        items
    }

    /// What came after the last newline, once nothing more can come.
    pub fn finish(&mut self) -> Option<Item<T>> {
        self.end_of_line()
    }

    fn end_of_line(&mut self) -> Option<Item<T>> {
        let line = std::mem::take(&mut self.line);
        let text = line.trim_ascii_end();
        if text.is_empty() {
            return None;
        }
        let readable = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let Some(body) = text.strip_prefix(&[START]) else {
            return Some(Item::Text(readable(text)));
        };
        let message = STANDARD
            .decode(body)
            .ok()
            .and_then(|bytes| postcard::from_bytes_crc32(&bytes, CHECKSUM.digest()).ok());
        Some(match message {
            Some(message) => Item::Message(message),
            None => Item::Garbled(readable(body)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Event, Stream};
    use proptest::prelude::*;

    fn output(data: &[u8]) -> Event {
        Event::Output {
            job: 7,
            stream: Stream::Stdout,
            data: data.to_vec(),
        }
    }

    proptest! {
        #[test]
        fn any_bytes_pass_whole_however_they_are_cut(data: Vec<u8>, cut: prop::sample::Index) {
            let line = encode(&output(&data));
            let (a, b) = line.split_at(cut.index(line.len()));
            let mut decoder = Decoder::default();
            let mut items = decoder.feed(a);
            items.extend(decoder.feed(b));
            prop_assert_eq!(items, vec![Item::Message(output(&data))]);
        }

        #[test]
        fn a_flipped_bit_never_gives_another_message(data: Vec<u8>, at: prop::sample::Index, bit in 0..7u8) {
            let mut line = encode(&output(&data));
            let at = at.index(line.len());
            line[at] ^= 1 << bit;
            let mut decoder = Decoder::<Event>::default();
            let items = decoder.feed(&line);
            prop_assert!(items.iter().all(|item| !matches!(item, Item::Message(m) if *m != output(&data))));
        }
    }

    #[test]
    fn console_lines_around_a_frame_stay_text() {
        let mut bytes = b"[    1.0] early\r\nno newline yet".to_vec();
        bytes.extend(encode(&Event::Ready));
        bytes.extend(b"after\r\n");
        let mut decoder = Decoder::default();
        assert_eq!(
            decoder.feed(&bytes),
            [
                Item::Text("[    1.0] early".into()),
                Item::Text("no newline yet".into()),
                Item::Message(Event::Ready),
                Item::Text("after".into()),
            ]
        );
    }

    #[test]
    fn a_frame_cut_by_a_kernel_message_is_garbled_and_the_next_is_whole() {
        let mut bytes = encode(&output(b"abc"));
        bytes.truncate(6);
        bytes.extend(b"BUG: something\n");
        bytes.extend(encode(&Event::Ready));
        let mut decoder = Decoder::<Event>::default();
        let items = decoder.feed(&bytes);
        assert!(matches!(items[0], Item::Garbled(_)));
        assert_eq!(items[1], Item::Message(Event::Ready));
    }
}
