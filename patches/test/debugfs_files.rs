// SPDX-License-Identifier: GPL-2.0

//! A debugfs file of each kind that the `kernel` crate makes, and nothing else.

use kernel::{
    debugfs::{
        File,
        Scope, //
    },
    new_mutex,
    prelude::*,
    sync::{
        atomic::Atomic,
        Mutex, //
    },
};

#[cfg(not(debugfs_owner))]
use kernel::debugfs::Dir;

#[cfg(debugfs_owner)]
type Dir = kernel::debugfs::Dir<LocalModule>;

module! {
    type: DebugfsFiles,
    name: "debugfs_files",
    authors: ["The xcap contributors"],
    description: "A debugfs file of each kind",
    license: "GPL",
}

type Number = Atomic<u32>;
type Bytes = Mutex<[u8; 4]>;

#[pin_data]
struct Files {
    #[pin]
    read: File<Number>,
    #[pin]
    write: File<Number>,
    #[pin]
    read_write: File<Number>,
    #[pin]
    read_binary: File<Bytes>,
    #[pin]
    write_binary: File<Bytes>,
    #[pin]
    read_write_binary: File<Bytes>,
    #[pin]
    scope: Scope<Number>,
}

struct DebugfsFiles {
    _files: Pin<KBox<Files>>,
}

impl kernel::Module for DebugfsFiles {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let dir = Dir::new(c"debugfs_files");
        let number = || Number::new(0);
        let bytes = || new_mutex!([0; 4]);
        let files = try_pin_init!(Files {
            read <- dir.read_only_file(c"read", number()),
            write <- dir.write_only_file(c"write", number()),
            read_write <- dir.read_write_file(c"read_write", number()),
            read_binary <- dir.read_binary_file(c"read_binary", bytes()),
            write_binary <- dir.write_binary_file(c"write_binary", bytes()),
            read_write_binary <- dir.read_write_binary_file(c"read_write_binary", bytes()),
            scope <- dir.scope(number(), c"scope", |number, dir| {
                dir.read_only_file(c"read", number);
            }),
        });
        Ok(Self {
            _files: KBox::pin_init(files, GFP_KERNEL)?,
        })
    }
}
