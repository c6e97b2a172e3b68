//! The gateway: data plane and control plane in one process.

use std::process::ExitCode;

use clap::Parser as _;

/// Threads that each own their memory suit jemalloc; glibc's arenas grow with them.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// What calls gave back goes back to the system within a second, so that a burst does not stay resident.
/// Source: jemalloc's manual, "TUNING"; the crate's symbols carry this prefix.
#[allow(unsafe_code, reason = "the allocator looks for this symbol; it is read once, and ends with a zero byte")]
#[unsafe(export_name = "_rjem_malloc_conf")]
pub static MALLOC_CONF: &[u8; 37] = b"dirty_decay_ms:1000,muzzy_decay_ms:0\0";

fn main() -> ExitCode {
    control::app::run(control::app::options::Args::parse())
}
