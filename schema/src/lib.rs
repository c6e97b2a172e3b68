//! What is stored and declared: SQL migrations and queries.

pub mod migrations;
