// This file was generated with `cornucopia`. Do not modify.

pub mod logs;
pub mod policy;
pub mod stream;
