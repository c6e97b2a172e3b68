//! control

pub mod supervisor;
