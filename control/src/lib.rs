//! The control plane of `sp`: everything that may be slow. It assembles the process ([`app`]), compiles policy
//! ([`policy`]), supervises MCP servers ([`supervisor`]), ships the journal ([`shipper`]) into Postgres ([`postgres`]) and to other systems ([`sinks`]),
//! and carries out operators' commands ([`operator`]), which `sp` ([`cli`]) and agents send alike.

pub mod app;
pub mod surface;

pub mod cli;
pub mod operator;
pub mod profile;

pub mod disk;
pub mod evidence;
pub mod keys;
pub mod logs;
pub mod oauth;
pub mod people;
pub mod policy;
pub mod postgres;
pub mod retention;
pub mod shipper;
pub mod siem;
pub mod sinks;
pub mod supervisor;
pub mod token;
pub mod trial;
