// SPDX-License-Identifier: GPL-2.0

//! Errors that not every version of the `kernel` crate names.

use kernel::prelude::*;

/// `EOPNOTSUPP`: the function can't be hooked that way.
pub(crate) fn unsupported() -> Error {
    Error::from_errno(-(kernel::bindings::EOPNOTSUPP as i32))
}

/// `ENODATA`: there never was any.
pub(crate) fn no_data() -> Error {
    Error::from_errno(-(kernel::bindings::ENODATA as i32))
}

/// `EADDRNOTAVAIL`: several functions have the name.
pub(crate) fn ambiguous() -> Error {
    Error::from_errno(-(kernel::bindings::EADDRNOTAVAIL as i32))
}
