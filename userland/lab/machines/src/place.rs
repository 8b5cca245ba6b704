// SPDX-License-Identifier: GPL-2.0

//! The machines of a lab, by name.

use std::fmt;

/// A place where commands run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Place {
    /// Linux without Xen, on the receiving end of the cable
    Bare,
    /// The Xen host's own domain
    #[value(name = "dom0")]
    Dom0,
    /// The capturing guest
    #[value(name = "domU", alias = "domu")]
    DomU,
    /// The machine at the other end of the cable
    Sender,
}

impl Place {
    pub fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Dom0 => "dom0",
            Self::DomU => "domU",
            Self::Sender => "sender",
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.name())
    }
}
