//! dataplane
pub mod chain;
