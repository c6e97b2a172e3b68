//! Which part of the shard answers which path.
//! Lives on: one shard.

use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_channel::oneshot;
use http::{Method, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use serde_json::json;

use crate::conn::Busy;
use crate::http::{BrokenOff, Reply, ReplyBody, check_edge, empty, json as json_reply, reply};
use crate::inbox::Event;
use crate::journal::State;
use crate::metrics;
use crate::shard::Shard;
use crate::{decision_api, hook, mcp};

/// A reply's body; while it lives its connection counts as busy.
pub struct BusyBody {
    body: ReplyBody,
    _busy: Busy,
}

impl Body for BusyBody {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Answers one request.
pub async fn answer(
    shard: Rc<Shard>,
    busy: Busy,
    request: Request<Incoming>,
    peer: IpAddr,
) -> Result<Response<BusyBody>, Infallible> {
    shard.counters.borrow_mut().requests += 1;
    let mut reply = match check_edge(&request, &shard.hosts) {
        Ok(()) => route(&shard, request, peer).await,
        Err(error) => error.reply(),
    };
    if shard.draining.get() {
        reply.headers_mut().insert(http::header::CONNECTION, http::HeaderValue::from_static("close"));
    }
    Ok(reply.map(|body| BusyBody { body, _busy: busy }))
}

async fn route(shard: &Rc<Shard>, request: Request<Incoming>, peer: IpAddr) -> Reply {
    let path = request.uri().path();
    if let Some(server) = server_of(path) {
        let server = server.to_owned();
        return mcp::endpoint(shard, &server, request, peer).await;
    }
    match (request.method(), path) {
        (&Method::GET | &Method::HEAD, "/healthz") => reply(StatusCode::OK, "text/plain", "ok\n"),
        (&Method::GET | &Method::HEAD, "/readyz") => readiness(shard),
        (&Method::GET, "/metrics") => metrics(shard).await,
        (&Method::POST, "/api/v1/hooks/govern") => hook::govern(shard, request, peer).await,
        (&Method::POST, "/api/v1/decide") => decision_api::decide(shard, request, peer).await,
        (_, "/healthz" | "/readyz" | "/metrics" | "/api/v1/hooks/govern" | "/api/v1/decide") => {
            empty(StatusCode::METHOD_NOT_ALLOWED)
        }
        _ if shard.policy().networks.matches("", Some(peer)) => empty(StatusCode::FORBIDDEN),
        _ => mcp::pass_on(shard, request, peer).await,
    }
}

/// The server in `/api/v1/mcp/{server}/mcp`.
fn server_of(path: &str) -> Option<&str> {
    let server = path.strip_prefix("/api/v1/mcp/")?;
    let server = server.strip_suffix("/mcp/").or_else(|| server.strip_suffix("/mcp"))?;
    (!server.is_empty() && !server.contains('/')).then_some(server)
}

/// 200 even without Postgres, or while the disk refuses: the body then says `degraded`. A disk that takes writes again is only
/// noticed by a call, so calls must go on coming.
fn readiness(shard: &Shard) -> Reply {
    let status = shard.status.get();
    let journal = shard.journal.progress().state();
    let (code, word) = match (shard.draining.get(), status.database_up && !status.policy_stale && journal == State::Healthy) {
        (true, _) => (StatusCode::SERVICE_UNAVAILABLE, "draining"),
        (false, true) => (StatusCode::OK, "ready"),
        (false, false) => (StatusCode::OK, "degraded"),
    };
    let policy = shard.policy();
    json_reply(
        code,
        &json!({
            "status": word,
            "database": if status.database_up { "up" } else { "down" },
            "journal": journal.as_str(),
            "records_behind": status.records_behind,
            "mcp_servers": { "healthy": status.servers_healthy, "declared": status.servers_declared },
            "policy_generation": policy.generation(),
            "policy": if status.policy_stale { "stale" } else { "current" },
            "shard": shard.ix,
        }),
    )
}

async fn metrics(shard: &Shard) -> Reply {
    let mut all = Vec::with_capacity(shard.everyone().len());
    for peer in shard.everyone() {
        let (sender, receiver) = oneshot::channel();
        if peer.unbounded_send(Event::Collect(sender)).is_ok()
            && let Some(Ok(counters)) = crate::http::within(crate::limits::MESH_TIME_MAX, receiver).await
        {
            all.push(counters);
        }
    }
    let mut page = metrics::page(&all, shard.status.get(), shard.policy().generation());
    page.push_str(&shard.control_metrics.borrow());
    reply(StatusCode::OK, "text/plain; version=0.0.4", page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_found_in_their_path_alone() {
        for (path, expect) in [
            ("/api/v1/mcp/files/mcp", Some("files")),
            ("/api/v1/mcp/files/mcp/", Some("files")),
            ("/api/v1/mcp//mcp", None),
            ("/api/v1/mcp/a/b/mcp", None),
            ("/api/v1/mcp/registry", None),
            ("/x/api/v1/mcp/files/mcp", None),
        ] {
            assert_eq!(server_of(path), expect, "{path}");
        }
    }
}
