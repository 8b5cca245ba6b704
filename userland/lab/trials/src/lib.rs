// SPDX-License-Identifier: GPL-2.0

//! The trials are in `tests/vm`, a file a topic: this package is them alone.
