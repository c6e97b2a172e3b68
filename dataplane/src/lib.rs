//! The data plane of `sp`: thread-per-core shards that authenticate, decide, record and forward calls.
//!
//! Reading order: [`conn`] takes a connection, [`route`] finds who answers, [`mcp`] reads an MCP message, [`call`]
//! decides and records it through [`chain`] and [`journal`], [`upstream`] carries it out, [`outcome`] records how it
//! ended. [`plane`] starts it all.
//!
//! INVARIANT: no tokio and no Postgres here; what a call needs is in the shard's memory or on its disk.

pub mod limits;
pub mod plane;

pub mod conn;
pub mod route;

pub mod decision_api;
pub mod hook;
pub mod mcp;

pub mod approval;
pub mod call;
pub mod chain;
pub mod identity;
pub mod lease;
pub mod policy;

pub mod journal;
pub mod notes;
pub mod outcome;
pub mod passage;

pub mod http;
pub mod listing;
pub mod reply;
pub mod session;
pub mod throttle;
pub mod tls;
pub mod trial;
pub mod upstream;

pub mod inbox;
pub mod metrics;
pub mod shadow;
pub mod shard;

mod sys;
