//! What is stored and what is declared: SQL migrations and queries, and every kind of file below `services/` with its
//! validators.

pub mod cedar;
pub mod services;

#[cfg(feature = "postgres")]
pub mod audit;
#[cfg(feature = "postgres")]
pub mod migrations;

#[cfg(feature = "postgres")]
#[rustfmt::skip]
#[allow(
    clippy::all, clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub, dead_code, unused_imports,
    unused_variables, unused_lifetimes, mismatched_lifetime_syntaxes,
    reason = "generated"
)]
mod generated;

/// The statements of `queries/*.sql`, each a function with typed parameters and rows.
#[cfg(feature = "postgres")]
pub use generated::queries;
