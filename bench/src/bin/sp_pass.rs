//! `sp-pass`: a reverse proxy on glommio and hyper that checks nothing. What the gateway costs on top of it is what
//! governance costs.

use bench::executors;
use bench::pass::Pool;
use clap::Parser;
use hyper::service::service_fn;
use std::net::SocketAddr;
use std::rc::Rc;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Forwards every request to one upstream, unexamined.
#[derive(Parser)]
struct Options {
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1:9003")]
    listen: SocketAddr,
    /// Executors, one per core
    #[arg(long, default_value_t = 1)]
    cores: usize,
    /// Where requests go
    #[arg(long, default_value = "127.0.0.1:9002")]
    upstream: SocketAddr,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    executors::serve(options.listen, options.cores, move |_| {
        let pool = Rc::new(Pool::new(options.upstream));
        service_fn(move |request| {
            let pool = Rc::clone(&pool);
            async move { pool.forward(request).await }
        })
    })
}
