//! The checks every call passes, one module each, in the order in which they run: scope, secrets, blocklist, rate.

pub mod glob;
pub mod rate;
pub mod secrets;
//! The four layers a call passes in order: scope, secrets, blocklist, rate.
//!
//! Lives on one shard; every layer reads an immutable policy and a scratch that the shard owns.

pub mod blocklist;
