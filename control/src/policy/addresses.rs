//! Addresses of the MCP servers that are reached by HTTP. Shards never ask a resolver, so it is asked here.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use futures_util::future::join_all;
use schema::services::Services;
use schema::services::mcp::Transport;
use url::{Host, Url};

/// LIMIT: a resolver that has not answered by then is treated as down; the addresses known before stay in force.
const RESOLVE_TIME_MAX: Duration = Duration::from_secs(5);

/// LIMIT: addresses of one host.
const ADDRESSES_MAX: usize = 16;

/// Nobody listens at port 0, so a connection is refused at once.
const UNREACHABLE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// The addresses of every server that is reached by HTTP, by name. A host that does not resolve is left out.
pub async fn resolve(services: &Services) -> BTreeMap<String, Vec<SocketAddr>> {
    let urls = services.mcp.iter().filter_map(|(name, server)| match &server.what.transport {
        Transport::Http(http) => Some((name.to_string(), http.url.value.clone())),
        Transport::Stdio(_) => None,
    });
    let resolved = urls.map(|(name, url)| async move { (name, resolve_url(&url).await) });
    join_all(resolved).await.into_iter().filter(|(_, addresses)| !addresses.is_empty()).collect()
}

async fn resolve_url(url: &str) -> Vec<SocketAddr> {
    if let Some(address) = literal(url) {
        return vec![address];
    }
    let Some((host, port)) =
        Url::parse(url).ok().and_then(|url| Some((url.host_str()?.to_owned(), url.port_or_known_default()?)))
    else {
        return Vec::new();
    };
    let found = tokio::time::timeout(RESOLVE_TIME_MAX, tokio::net::lookup_host((host, port))).await;
    let mut addresses: Vec<SocketAddr> = found.ok().and_then(Result::ok).into_iter().flatten().take(ADDRESSES_MAX).collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

/// The address that stands in the URL itself.
fn literal(url: &str) -> Option<SocketAddr> {
    let url = Url::parse(url).ok()?;
    let port = url.port_or_known_default()?;
    match url.host()? {
        Host::Ipv4(ip) => Some(SocketAddr::new(ip.into(), port)),
        Host::Ipv6(ip) => Some(SocketAddr::new(ip.into(), port)),
        Host::Domain(_) => None,
    }
}

/// What the snapshot carries. A host that does not resolve makes its own server unreachable and nothing else: a policy
/// that takes rights back must come into force whatever a resolver does.
pub(super) fn or_unreachable(url: &str, known: &[SocketAddr]) -> Vec<String> {
    let mut addresses: Vec<SocketAddr> = match literal(url) {
        Some(address) => vec![address],
        None => known.to_vec(),
    };
    if addresses.is_empty() {
        addresses.push(UNREACHABLE);
    }
    addresses.iter().map(ToString::to_string).collect()
}
