//! `sp-load`: drives MCP tool calls through the gateway and checks every reply.

use anyhow::{Context, Result, bail};
use bench::load::{self, Expect, Glance, Pace, Plan, Report};
use clap::Parser;
use std::io::{IsTerminal, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Sends MCP tool calls at a fixed rate or saturating, and checks every reply.
///
/// Exit code: 0 every reply was as expected; 1 some were not; 2 the run could not be made; 3 replies were right but
/// connections or requests were lost.
#[derive(Parser)]
struct Options {
    /// Where to send them, e.g. http://127.0.0.1:8080/api/v1/mcp/echo/mcp
    url: String,
    /// File with a bearer token for each principal, one per line
    #[arg(long)]
    tokens: Option<PathBuf>,
    /// Connections to keep
    #[arg(short, long, default_value_t = 64)]
    connections: usize,
    /// Threads
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Requests per second in all, at times fixed in advance; without it each connection sends as fast as it is answered
    #[arg(short, long)]
    rate: Option<f64>,
    /// Seconds to send for
    #[arg(short, long)]
    duration: Option<f64>,
    /// Requests to send
    #[arg(short = 'n', long)]
    requests: Option<u64>,
    /// Seconds at the beginning that are checked but not measured
    #[arg(long, default_value_t = 0.0)]
    warmup: f64,
    /// Tool to call
    #[arg(long, default_value = "echo")]
    tool: String,
    /// Its arguments, as JSON; {n} becomes the number of the request
    #[arg(long, default_value = r#"{"message":"request {n}"}"#)]
    args: String,
    /// Send this body instead of a tool call; {n} becomes the number of the request
    #[arg(long)]
    body: Option<String>,
    /// Header field to add, `name: value`
    #[arg(long = "header")]
    headers: Vec<String>,
    /// What the replies must be
    #[arg(long, value_enum, default_value = "allow")]
    expect: Expect,
    /// Results must contain the number of their request
    #[arg(long)]
    echoed: bool,
    /// Principals take turns by request instead of owning connections
    #[arg(long)]
    mix: bool,
    /// Begin each connection with an MCP session
    #[arg(long)]
    session: bool,
    /// Make lost connections again
    #[arg(long)]
    reconnect: bool,
    /// Seconds to wait for a reply
    #[arg(long, default_value_t = 30.0)]
    timeout: f64,
    /// Seconds to wait until all connections stand
    #[arg(long, default_value_t = 20.0)]
    connect_timeout: f64,
    /// Append the trace id of each governed reply to this file, one per line
    #[arg(long)]
    record: Option<PathBuf>,
    /// Process whose CPU time to measure, `name=pid`
    #[arg(long)]
    watch: Vec<String>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    match run(&options) {
        Ok(report) if report.unexpected > 0 => ExitCode::from(1),
        Ok(report) if report.is_lossy() => ExitCode::from(3),
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(options: &Options) -> Result<Report> {
    let plan = plan(options)?;
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        // The second one ends the program at once, should the first not be enough.
        signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&stop))?;
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    let terminal = std::io::stderr().is_terminal();
    let mut last = Glance::default();
    let report = load::run(&plan, &stop, |glance| {
        if terminal {
            show(glance, &mut last);
        }
    })?;
    if terminal {
        eprint!("\r\x1b[K");
    }
    if options.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{report}");
    }
    std::io::stdout().flush()?;
    Ok(report)
}

/// Rewrites the progress line, at most twice a second.
fn show(glance: Glance, last: &mut Glance) {
    let Some(elapsed) = glance.elapsed else {
        eprint!("\r\x1b[K{} connected", glance.connected);
        return;
    };
    let since = elapsed.saturating_sub(last.elapsed.unwrap_or_default());
    if since < Duration::from_millis(450) {
        return;
    }
    let rate = glance.replies.saturating_sub(last.replies) as f64 / since.as_secs_f64();
    eprint!(
        "\r\x1b[K{:5.1} s  {} connected  {} replies  {rate:.0}/s  {} unexpected  {} lost",
        elapsed.as_secs_f64(),
        glance.connected,
        glance.replies,
        glance.unexpected,
        glance.lost
    );
    *last = glance;
}

fn plan(options: &Options) -> Result<Plan> {
    let (target, host, path) = destination(&options.url)?;
    let tokens = options.tokens.as_deref().map(read_tokens).transpose()?.unwrap_or_default();
    let sample = options.args.replace("{n}", "100000000000");
    serde_json::from_str::<serde_json::Value>(&sample).with_context(|| format!("`--args {}` is not JSON", options.args))?;
    let watch = options
        .watch
        .iter()
        .map(|entry| {
            let (name, pid) = entry.split_once('=').with_context(|| format!("`--watch {entry}`: write name=pid"))?;
            Ok((name.to_owned(), pid.parse().with_context(|| format!("`{pid}` is no process id"))?))
        })
        .collect::<Result<_>>()?;
    Ok(Plan {
        target,
        host,
        path,
        headers: options.headers.clone(),
        body: options.body.clone().unwrap_or_else(|| load::tool_call(&options.tool, &options.args)),
        tokens,
        connections: options.connections,
        workers: options.threads,
        mix: options.mix,
        session: options.session,
        pace: options.rate.map_or(Pace::Saturating, Pace::Open),
        duration: options.duration.map(seconds).transpose()?,
        requests: options.requests,
        warmup: seconds(options.warmup)?,
        timeout: seconds(options.timeout)?,
        connect_timeout: seconds(options.connect_timeout)?,
        expect: options.expect,
        echoed: options.echoed,
        reconnect: options.reconnect,
        record: options.record.clone(),
        watch,
    })
}

fn seconds(value: f64) -> Result<Duration> {
    Duration::try_from_secs_f64(value).with_context(|| format!("`{value}` seconds"))
}

/// Address, host header and path of an `http://` URL.
fn destination(url: &str) -> Result<(SocketAddr, String, String)> {
    let uri: http::Uri = url.parse().with_context(|| format!("`{url}` is not a URL"))?;
    if uri.scheme_str() != Some("http") {
        bail!("`{url}`: only `http://` is spoken here");
    }
    let authority = uri.authority().with_context(|| format!("`{url}` names no host"))?;
    let port = authority.port_u16().unwrap_or(80);
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    let target = (host, port)
        .to_socket_addrs()
        .with_context(|| format!("look up `{host}`"))?
        .next()
        .with_context(|| format!("`{host}` has no address"))?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    Ok((target, authority.as_str().to_owned(), path.to_owned()))
}

fn read_tokens(path: &Path) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("read `{}`", path.display()))?;
    let tokens: Vec<String> = text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    if tokens.is_empty() {
        bail!("`{}` holds no token: write one per line", path.display());
    }
    Ok(tokens)
}
