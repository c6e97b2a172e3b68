//! The control plane of `sp`: everything that may be slow.

pub mod keys;
pub mod logs;
pub mod postgres;
pub mod shipper;
pub mod supervisor;
pub mod token;
