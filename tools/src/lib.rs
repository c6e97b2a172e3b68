//! The tasks behind `cargo x`, one file per verb, so that each can be tested and called by another.

pub mod bench;
pub mod deny;
pub mod eval;
pub mod flame;
pub mod metadata;
pub mod repo;
pub mod sql;
pub mod tidy;
pub mod torture;
