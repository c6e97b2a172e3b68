//! Who calls. Lives on one shard: what it learns from a credential is never shared.

pub mod verify;
