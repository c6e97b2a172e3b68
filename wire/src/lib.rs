//! Every format that `sp` speaks to itself or to others: identifiers, JSON-RPC and MCP views, the vocabulary of
//! decisions, the rkyv snapshot, journal frames and records, and the rows they become in Postgres.
//!
//! INVARIANT: no I/O and no clock in this crate; time is always an argument.

pub mod ids;
pub mod limits;

pub mod api_key;
pub mod condition;
pub mod decision;

pub mod jsonrpc;
pub mod token;
pub mod tool_name;

pub mod checkpoint;
pub mod frame;
pub mod record;
pub mod results;

pub mod snapshot;
