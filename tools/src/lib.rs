//! The tasks behind `cargo x`, one file per verb, so that each can be tested and called by another.

pub mod bench;
pub mod deny;
pub mod flame;
pub mod eval;
pub mod metadata;
pub mod repo;
pub mod tidy;
pub mod torture;
