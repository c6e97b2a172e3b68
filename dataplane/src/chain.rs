//! The four layers a call passes in order: scope, secrets, blocklist, rate.
//!
//! Lives on one shard; every layer reads an immutable policy and a scratch that the shard owns.

pub mod blocklist;
