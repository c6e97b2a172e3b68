//! dataplane

pub mod chain;
pub mod journal;
pub mod chain;
