//! dataplane

pub mod chain;
