//! The gateway: data plane and control plane in one process.

use std::process::ExitCode;

use clap::Parser as _;

/// Threads that each own their memory suit jemalloc; glibc's arenas grow with them.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    control::app::run(control::app::Args::parse())
}
