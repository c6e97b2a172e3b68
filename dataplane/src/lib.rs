//! dataplane

pub mod journal;
