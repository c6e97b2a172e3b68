//! Proof that the audit trail in Postgres is what the gateway wrote: it signs how far each stream has come
//! ([`checkpoint`]), and whoever has the public key and can read the database recomputes everything ([`verify`]).
//!
//! ```text
//! record 1 ─ hash ─ record 2 ─ hash ─ … ─ record N ─ hash ═ signed          each row carries the hash after it
//! ```
//! A row that was altered, removed, put in or moved breaks a link; a chain that was made anew does not fit the signature.
//! Rows after the last checkpoint are linked but not signed yet, and said to be so.

pub mod checkpoint;
pub mod rows;
pub mod trust;
pub mod verify;
pub mod walk;
