// SPDX-License-Identifier: GPL-2.0

//! The frame.

use std::fs;

use nix::errno::Errno;
use xcap_frames::{Error, Ethertype, Interface, MacAddr6};

use xcap_frames::cli::send::Cli;

/// Builds the frame that the command line asks for, or takes it from a file.
pub fn build(cli: &Cli, interface: &Interface) -> Result<Vec<u8>, Error> {
    match &cli.frame {
        Some(file) => fs::read(file).map_err(|error| Error::System {
            doing: format!("cannot read '{}'", file.display()),
            source: Errno::from_raw(error.raw_os_error().unwrap_or_default()),
        }),
        None => Ok(assemble(
            cli.destination,
            interface.address,
            cli.ethertype,
            cli.size,
        )),
    }
}

/// Addresses, ethertype, then bytes that count up.
fn assemble(destination: MacAddr6, source: MacAddr6, ethertype: Ethertype, size: u16) -> Vec<u8> {
    let mut frame = Vec::with_capacity(size.into());
    frame.extend(destination.as_bytes());
    frame.extend(source.as_bytes());
    frame.extend(ethertype.value().to_be_bytes());
    let payload = usize::from(size) - frame.len();
    frame.extend((0..=u8::MAX).cycle().take(payload));
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_the_size_asked_for_and_the_header_of_ethernet() {
        let destination = MacAddr6::new(0x52, 0x54, 0, 0, 0, 2);
        let source = MacAddr6::new(0x52, 0x54, 0, 0, 0, 1);
        for size in [60, 64, 1500, 1514] {
            let frame = assemble(destination, source, xcap_frames::X25, size);
            assert_eq!(frame.len(), usize::from(size));
            assert_eq!(frame[..6], *destination.as_bytes());
            assert_eq!(frame[6..12], *source.as_bytes());
            assert_eq!(frame[12..14], [0x08, 0x05]);
        }
    }
}
