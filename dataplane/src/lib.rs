//! dataplane

pub mod chain;
pub mod identity;
pub mod journal;
pub mod chain;
