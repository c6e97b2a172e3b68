//! From the decision until a reader of Postgres sees its row, in the real process under a steady load of refusals.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use bench::load::{self, Expect, Pace, Plan};
use bench::suite::{BLOCKED_TOOL, Gateway, PATH, Server};
use control::postgres::private_config;
use hdrhistogram::Histogram;
use tokio_postgres::{Client, NoTls};

/// How often Postgres is asked how far it is; the measured times are that much too long at most.
const LOOK_EVERY: Duration = Duration::from_millis(2);
const CONNECTIONS: usize = 64;
const PRINCIPALS: usize = 64;
/// Not measured: connections, plans and the first pages of the tables come into being.
const WARM_UP: Duration = Duration::from_secs(2);
/// A load that has ended and watermarks that stand still this long: everything is there, or something is lost.
const QUIET: Duration = Duration::from_secs(2);

/// How far the streams were, and when.
type Looks = Vec<(i64, BTreeMap<i32, i64>)>;

/// Refuses `rate` calls a second for `seconds`, and prints how long their rows took.
pub(crate) async fn watch(programs: &Path, rate: f64, seconds: u64) -> Result<()> {
    let upstream = Server::start(programs, "sp-upstream", &["--cores", "1"])?;
    let gateway = Gateway::start(programs, 2, PRINCIPALS, upstream.address)?;
    let config = private_config(gateway.data_dir()).context("the gateway has no private Postgres")?;
    let (client, connection) = config.connect(NoTls).await.context("reach the private Postgres")?;
    let connection = tokio::spawn(connection);
    let plan = plan(&gateway, rate, seconds);
    let run = tokio::task::spawn_blocking(move || load::run(&plan, &AtomicBool::new(false), |_| {}));
    let looks = look_until(&client, || run.is_finished()).await?;
    let report = run.await??;
    if !report.is_clean() {
        bail!("not every reply was as expected\n{report}");
    }
    let mut histogram = Histogram::<u64>::new(3)?;
    let rows = client
        .query(
            "SELECT stream_id, seq, (extract(epoch FROM at) * 1000000)::bigint FROM audit_event \
             WHERE kind = 'decision' AND verdict = 'deny' ORDER BY stream_id, seq",
            &[],
        )
        .await?;
    let first = rows.iter().map(|row| row.get::<_, i64>(2)).min().context("no call was refused")?;
    let measured_from = first + i64::try_from(WARM_UP.as_micros())?;
    for row in &rows {
        let (stream, seq, at): (i32, i64, i64) = (row.get(0), row.get(1), row.get(2));
        if at < measured_from {
            continue;
        }
        let seen = looks.partition_point(|(_, places)| places.get(&stream).is_none_or(|place| *place < seq));
        let (seen_at, _) = looks.get(seen).context("a row was never seen")?;
        histogram.record(u64::try_from(seen_at - at).unwrap_or(0).max(1))?;
    }
    println!(
        "decision to visible in Postgres, {} rows at {:.0} rows/s after {} s:",
        histogram.len(),
        report.rate_per_s,
        WARM_UP.as_secs()
    );
    for (name, quantile) in [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0)] {
        println!("  {name:<6} {:>8.1} ms", histogram.value_at_quantile(quantile) as f64 / 1000.0);
    }
    println!("  histogram, 25 ms a step:");
    let most = histogram.iter_linear(25_000).map(|step| step.count_since_last_iteration()).max().unwrap_or(1).max(1);
    for step in histogram.iter_linear(25_000) {
        let count = step.count_since_last_iteration();
        let bar = "#".repeat(usize::try_from(count * 50 / most)?);
        println!("  up to {:>4} ms {count:>9} {bar}", (step.value_iterated_to() + 1) / 1000);
    }
    connection.abort();
    Ok(())
}

fn plan(gateway: &Gateway, rate: f64, seconds: u64) -> Plan {
    Plan {
        target: gateway.address(),
        host: gateway.address().to_string(),
        path: PATH.to_owned(),
        headers: Vec::new(),
        body: load::tool_call(BLOCKED_TOOL, r#"{"message":"request {n}: list who is waiting for a review"}"#),
        tokens: gateway.tokens().to_vec(),
        connections: CONNECTIONS,
        workers: 1,
        mix: false,
        session: false,
        pace: Pace::Open(rate),
        duration: Some(Duration::from_secs(seconds)),
        requests: None,
        warmup: Duration::ZERO,
        timeout: Duration::from_secs(10),
        connect_timeout: Duration::from_secs(20),
        expect: Expect::Deny,
        echoed: false,
        reconnect: false,
        record: None,
        watch: Vec::new(),
    }
}

/// Looks at the watermarks, which become visible with the rows below them, until the load has ended and nothing is new.
async fn look_until(client: &Client, is_over: impl Fn() -> bool) -> Result<Looks> {
    let mut looks = Looks::new();
    let statement = client.prepare("SELECT id, seq FROM stream").await?;
    let mut quiet_since = None;
    loop {
        let rows = client.query(&statement, &[]).await?;
        let places: BTreeMap<i32, i64> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        let now = SystemTime::now();
        if looks.last().is_none_or(|(_, before)| *before != places) {
            looks.push((i64::try_from(now.duration_since(UNIX_EPOCH)?.as_micros())?, places));
            quiet_since = None;
        } else if is_over() {
            let since = *quiet_since.get_or_insert(now);
            if now.duration_since(since)? > QUIET {
                return Ok(looks);
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
