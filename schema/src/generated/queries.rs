// This file was generated with `cornucopia`. Do not modify.

pub mod identity;
pub mod logs;
pub mod oauth;
pub mod policy;
pub mod stream;
