//! The gateway as its users see it: the real process, a real Postgres, real MCP servers and clients.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
#![allow(unreachable_pub, reason = "a test binary has no outside")]

mod harness;

mod approvals;
mod browser;
mod clients;
mod conditions;
mod crash;
mod disk;
mod edge;
mod exactness;
mod layers;
mod limits;
mod oauth;
mod operate;
mod outage;
mod pages;
mod people;
mod policy;
mod results;
mod rollout;
mod start;
mod trail;
