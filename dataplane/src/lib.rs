//! dataplane

pub mod chain;
pub mod journal;
