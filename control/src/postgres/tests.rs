//! The schema on a real server: what its queries, triggers and rights do.

mod generated;
mod rights;
mod rows;
