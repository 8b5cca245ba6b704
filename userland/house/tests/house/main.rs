// SPDX-License-Identifier: GPL-2.0

//! What holds of xcap's sources as a whole.

mod circles;
mod licences;
mod products;
mod stage_names;
mod tracked;
