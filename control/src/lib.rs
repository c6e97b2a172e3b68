//! Everything that may be slow.

pub mod postgres;
//! control

pub mod supervisor;
