//! The programs of this crate against each other, as users run them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod load;
mod upstream;
