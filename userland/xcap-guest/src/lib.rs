//! What `xcap-lab` and the agent in a guest say to each other.

pub mod frame;
pub mod protocol;
