//! One glommio executor per core, each with its own listener on the same port: the shape of the gateway without
//! anything of the gateway, so that the baselines differ from it in nothing else.

use crate::stream::prepare;
use anyhow::{Context, Result, anyhow};
use glommio::net::TcpListener;
use glommio::{LocalExecutorBuilder, Placement};
use http_body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::HttpService;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc;

/// Serves HTTP/1.1 on `listen` from `cores` executors until the process is stopped. `service` is called once on each
/// executor, with its index, and the service it returns is cloned for each connection.
///
/// # Errors
/// io_uring is not available, or the address is taken.
pub fn serve<S, B>(listen: SocketAddr, cores: usize, service: impl Fn(usize) -> S + Send + Sync + 'static) -> Result<()>
where
    S: HttpService<Incoming, ResBody = B, Error = Infallible> + Clone + 'static,
    B: Body + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let service = Arc::new(service);
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let (bound, all_bound) = mpsc::channel();
    let mut executors = Vec::new();
    for index in 0..cores {
        // More executors than CPUs still work; pinning two to one CPU would only make them wait for each other.
        let placement = if cores <= cpus { Placement::Fixed(index) } else { Placement::Unbound };
        let service = Arc::clone(&service);
        let bound = bound.clone();
        let executor = LocalExecutorBuilder::new(placement)
            .name("baseline")
            .spawn(move || async move {
                let listener = match TcpListener::bind(listen) {
                    Ok(listener) => listener,
                    Err(error) => {
                        let _ = bound.send(Err(anyhow!("listen on `{listen}`: {error}")));
                        return;
                    }
                };
                let _ = bound.send(Ok(()));
                drop(bound);
                accept(listener, service(index)).await;
            })
            .map_err(|error| anyhow!("start an executor: {error}; is io_uring allowed here?"))?;
        executors.push(executor);
    }
    drop(bound);
    for _ in 0..cores {
        all_bound.recv().context("an executor ended before it listened")??;
    }
    println!("listening on {listen}, {cores} executor(s)");
    for executor in executors {
        executor.join().map_err(|error| anyhow!("an executor ended: {error}"))?;
    }
    Ok(())
}

async fn accept<S, B>(listener: TcpListener, service: S)
where
    S: HttpService<Incoming, ResBody = B, Error = Infallible> + Clone + 'static,
    B: Body + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    loop {
        let Ok(stream) = listener.accept().await.map_err(std::io::Error::from).and_then(prepare) else {
            // Out of file descriptors, or a peer that left at once: let others close before the next try.
            glommio::timer::sleep(std::time::Duration::from_millis(5)).await;
            continue;
        };
        let connection = http1::Builder::new().serve_connection(stream, service.clone());
        glommio::spawn_local(async move {
            // A peer that hangs up is how every connection of a load test ends.
            let _ = connection.await;
        })
        .detach();
    }
}
