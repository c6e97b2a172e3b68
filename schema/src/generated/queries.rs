// This file was generated with `cornucopia`. Do not modify.

pub mod evidence;
pub mod identity;
pub mod logs;
pub mod oauth;
pub mod operate;
pub mod policy;
pub mod retention;
pub mod stream;
pub mod summary;
