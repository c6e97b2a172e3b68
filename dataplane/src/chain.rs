//! The checks every call passes, one module each, in the order in which they run: scope, secrets, blocklist, rate.

pub mod glob;
pub mod rate;
pub mod secrets;
