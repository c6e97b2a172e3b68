//! What reaching MCP servers takes and no snapshot may hold: the values of credentials, and certificates to trust.

use rustls_native_certs::load_native_certs;
use schema::services::mcp::Transport;
use schema::services::{Problem, Services};
use wire::snapshot::{HttpUpstream, Snapshot, Upstream};

use dataplane::tls::{TlsError, TrustedRoots};
use dataplane::upstream::Reach;

/// Everything that the servers of this snapshot need, from our environment (`lookup`) and this machine's files. A
/// credential that is not set is left out, and compiling names it.
///
/// # Errors
/// Files of certificates that cannot be used, each where it was declared.
pub fn reach(services: &Services, snapshot: &Snapshot, lookup: impl Fn(&str) -> Option<String>) -> Result<Reach, Vec<Problem>> {
    let mut reach = Reach::default();
    let mut problems = Vec::new();
    for (name, http) in over_http(snapshot) {
        for (_, reference) in &http.headers {
            if let Some(value) = reference.strip_prefix("env:").and_then(&lookup) {
                reach.credentials.insert(reference.clone(), value);
            }
        }
        if !http.url.starts_with("https://") {
            continue;
        }
        let found = match http.ca.as_str() {
            "" if reach.system_roots.is_some() => continue,
            "" => system_roots().map(|roots| reach.system_roots = Some(roots)),
            file => roots_of(file).map(|roots| {
                reach.roots.insert(file.to_owned(), roots);
            }),
        };
        problems.extend(found.err().map(|why| problem(services, name, why)));
    }
    if problems.is_empty() { Ok(reach) } else { Err(problems) }
}

/// The same with everything there: whether it is, is a question for the machine that will run the policy.
pub fn assumed_reach(snapshot: &Snapshot) -> Reach {
    let nothing = TrustedRoots::of([]).ok();
    let mut reach = Reach { system_roots: nothing.clone(), ..Reach::default() };
    for (_, http) in over_http(snapshot) {
        reach.credentials.extend(http.headers.iter().map(|(_, reference)| (reference.clone(), "set".to_owned())));
        reach.roots.extend(nothing.clone().map(|roots| (http.ca.clone(), roots)));
    }
    reach
}

fn over_http(snapshot: &Snapshot) -> impl Iterator<Item = (&str, &HttpUpstream)> {
    snapshot.servers.iter().filter_map(|server| match &server.upstream {
        Upstream::Http(http) => Some((server.name.as_str(), http)),
        Upstream::Unix(_) | Upstream::None => None,
    })
}

fn system_roots() -> Result<TrustedRoots, String> {
    let found = load_native_certs();
    if found.certs.is_empty() {
        return Err("this machine trusts no certificates; install ca-certificates, or name a PEM file with `ca`".to_owned());
    }
    TrustedRoots::of(found.certs).map_err(|error| error.to_string())
}

fn roots_of(file: &str) -> Result<TrustedRoots, String> {
    let pem = std::fs::read(file).map_err(|error| format!("`{file}` cannot be read: {error}"))?;
    TrustedRoots::from_pem(&pem).map_err(|error: TlsError| format!("`{file}`: {error}"))
}

fn problem(services: &Services, server: &str, message: String) -> Problem {
    let declared = services.mcp.iter().find(|(name, _)| name.as_str() == server).map(|(_, declared)| declared);
    match declared.map(|declared| (&declared.place, &declared.what.transport)) {
        Some((place, Transport::Http(http))) => {
            place.problem_at(http.ca.as_ref().map_or_else(|| http.url.mark(), |ca| ca.mark()), message)
        }
        Some((place, Transport::Stdio(_))) => place.problem(message),
        None => Problem { file: "mcp".into(), line: 0, column: 0, message },
    }
}
