//! What the supervisor is to look after, from the declarations and our environment.

use std::path::PathBuf;
use std::time::Duration;

use schema::services::mcp::{HttpTransport, McpFile, StdioTransport, Transport};
use schema::services::words::{Period, Reference, Setting, Template};
use schema::services::{Declared, Place, Problem, Services};

use crate::supervisor::{ChildLimits, HttpServer, Servers, StdioServer};

/// The servers to start and to watch. `lookup` reads our environment.
///
/// # Errors
/// Every variable that is named and not set, and what the supervisor would refuse, each with its file.
pub fn children(services: &Services, lookup: impl Fn(&str) -> Option<String>) -> Result<Servers, Vec<Problem>> {
    let mut servers = Servers::default();
    let mut problems = Vec::new();
    for (name, Declared { place, what }) in &services.mcp {
        let filler = Filler { lookup: &lookup, place };
        match &what.transport {
            Transport::Http(http) => {
                let server = http_server(name.as_str(), http, &filler, &mut problems);
                problems.extend(server.validate().err().map(|error| place.problem_at(http.url.mark(), error.to_string())));
                servers.http.push(server);
            }
            Transport::Stdio(stdio) => {
                let server = stdio_server(name.as_str(), what, stdio, &filler, &mut problems);
                problems.extend(server.validate().err().map(|error| place.problem_at(stdio.command.mark(), error.to_string())));
                servers.stdio.push(server);
            }
        }
    }
    if problems.is_empty() { Ok(servers) } else { Err(problems) }
}

fn http_server(name: &str, http: &HttpTransport, filler: &Filler<'_>, problems: &mut Vec<Problem>) -> HttpServer {
    let mut server = HttpServer::new(name, http.url.value.clone());
    for (header, reference) in &http.headers {
        server.headers.push((header.value.clone(), filler.reference(reference, problems)));
    }
    server.ca = http.ca.as_ref().map(|ca| PathBuf::from(&ca.value));
    set(&mut server.probe_interval, http.probe_interval);
    server
}

fn stdio_server(
    name: &str,
    file: &McpFile,
    stdio: &StdioTransport,
    filler: &Filler<'_>,
    problems: &mut Vec<Problem>,
) -> StdioServer {
    let mut server = StdioServer::new(name, filler.text(&stdio.command.value, problems));
    server.args = stdio.args.iter().map(|arg| filler.text(arg, problems)).collect();
    for (variable, setting) in &stdio.env {
        let value = match setting {
            Setting::Text(text) => filler.text(text, problems),
            Setting::Reference(reference) => filler.reference(reference, problems),
        };
        server.env.insert(variable.as_str().to_owned(), value);
    }
    server.cwd = stdio.cwd.as_ref().map(|cwd| PathBuf::from(filler.text(cwd, problems)));
    server.user = stdio.user.clone();
    set(&mut server.start_timeout, stdio.start_timeout);
    set(&mut server.call_timeout, file.call_timeout.map(|timeout| timeout.value));
    set(&mut server.call_timeout_total, stdio.call_timeout_total);
    // Progress may keep a call alive, but never for less than one silence may last.
    server.call_timeout_total = server.call_timeout_total.max(server.call_timeout);
    set(&mut server.idle_ttl, stdio.idle_ttl);
    set(&mut server.probe_interval, stdio.probe_interval);
    if let Some(sessions) = stdio.max_sessions {
        server.max_sessions = sessions.value as usize;
    }
    if let Some(line) = stdio.max_line {
        server.max_line_bytes = usize::try_from(line.value.0).unwrap_or(usize::MAX);
    }
    server.warm_spare = stdio.warm.unwrap_or(server.warm_spare);
    server.limits = ChildLimits {
        open_files: stdio.limits.open_files.or(server.limits.open_files),
        memory_bytes: stdio.limits.memory.map(|memory| memory.0).or(server.limits.memory_bytes),
        processes: stdio.limits.processes.or(server.limits.processes),
    };
    server
}

fn set(field: &mut Duration, period: Option<Period>) {
    if let Some(period) = period {
        *field = period.0;
    }
}

/// Fills in our environment, and notes what is missing.
struct Filler<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    place: &'a Place,
}

impl Filler<'_> {
    fn text(&self, template: &Template, problems: &mut Vec<Problem>) -> String {
        template.fill(self.lookup).unwrap_or_else(|name| self.missing(name, problems))
    }

    fn reference(&self, reference: &Reference, problems: &mut Vec<Problem>) -> String {
        (self.lookup)(reference.name()).unwrap_or_else(|| self.missing(reference.name(), problems))
    }

    fn missing(&self, name: &str, problems: &mut Vec<Problem>) -> String {
        problems.push(
            self.place.problem(format!("the environment variable `{name}` is not set; set it before the gateway is started")),
        );
        String::new()
    }
}
