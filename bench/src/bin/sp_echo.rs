//! `sp-echo`: the least an HTTP server on glommio and hyper can do. Every ratio of the bench is against this.

use bench::executors;
use bytes::Bytes;
use clap::Parser;
use http::header::{CONTENT_TYPE, HeaderValue};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use std::convert::Infallible;
use std::net::SocketAddr;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Answers every request with its own body.
#[derive(Parser)]
struct Options {
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1:9001")]
    listen: SocketAddr,
    /// Executors, one per core
    #[arg(long, default_value_t = 1)]
    cores: usize,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    executors::serve(options.listen, options.cores, |_| service_fn(echo))
}

async fn echo(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = match request.into_body().collect().await {
        Ok(body) => body.to_bytes(),
        // The peer left in the middle of its own request: nobody is there to read an answer.
        Err(_) => Bytes::new(),
    };
    let mut response = Response::new(Full::new(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}
