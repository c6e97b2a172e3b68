//! Made by `cargo x sql` from queries/*.sql and the migrations. Do not edit.

mod array_iterator;
pub mod client;
mod domain;
pub mod queries;
mod type_traits;
mod utils;

pub use array_iterator::ArrayIterator;
pub use domain::{Domain, DomainArray};
pub use type_traits::{ArraySql, BytesSql, IterSql, JsonSql, StringSql};
pub(crate) use utils::slice_iter;

use tokio_postgres::fallible_iterator;
