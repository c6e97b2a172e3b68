//! `sp-upstream`: a small, fast MCP server (Streamable HTTP, 2025-11-25) that stands behind the gateway in benches and
//! load tests, so that what is measured is the gateway and not the tool.

use bench::executors;
use bench::upstream::{Behaviour, answer};
use clap::Parser;
use hyper::service::service_fn;
use std::net::SocketAddr;
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// A fast MCP server with a handful of tools: echo, add, upper, blob, fail.
#[derive(Parser)]
struct Options {
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1:9002")]
    listen: SocketAddr,
    /// Executors, one per core
    #[arg(long, default_value_t = 1)]
    cores: usize,
    /// Answer requests as an event stream instead of JSON
    #[arg(long)]
    sse: bool,
    /// Wait this long before each answer to a tool call
    #[arg(long, default_value_t = 0)]
    delay_ms: u64,
    /// Refuse requests without the session id that `initialize` gave out
    #[arg(long)]
    require_session: bool,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let behaviour =
        Behaviour { sse: options.sse, delay: Duration::from_millis(options.delay_ms), require_session: options.require_session };
    executors::serve(options.listen, options.cores, move |_| service_fn(move |request| answer(behaviour, request)))
}
