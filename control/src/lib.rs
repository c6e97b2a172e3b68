//! Everything that may be slow.

pub mod postgres;
pub mod shipper;
