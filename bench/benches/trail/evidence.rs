//! Verifying all of it, clean and after each thing that a superuser could do.

use anyhow::{Context, Result, ensure};
use bench::process::cpu_time;
use control::evidence::trust::{Origin, Trust};
use control::evidence::verify::{Range, Report, verify as verify_all};
use control::evidence::walk::Finding;
use control::postgres::Database;

use crate::grouped;
use crate::ship::{Trail, psql};

/// Columns that a copied row needs to be a row at all.
const KEPT: &str = "at, seq, generation, retry_after_ms, decide_ns, args_bytes, decision_seq, reply_bytes, duration_us, redactions, \
                    cost_microusd, trace, call, stream_id, http_status, rpc_code, attempts, chain, kind, user_id, tenant";

/// Verifies the trail, then alters, deletes, swaps and inserts one row each, and sees each found and named.
pub(crate) async fn verify(trail: &Trail) -> Result<()> {
    let before = cpu_time(std::process::id())?;
    let clean = report(trail).await?;
    let cpu = cpu_time(std::process::id())?.saturating_sub(before);
    ensure!(clean.ok && clean.row_count == trail.rows, "a clean trail does not verify: {clean:?}");
    println!("verify, {} rows, clean: {} rows/s, {} ms", clean.row_count, grouped(clean.rows_per_second()), clean.elapsed_ms);
    let per_core = clean.row_count as f64 / cpu.as_secs_f64();
    println!("  {} ms of them CPU of the verifier, Postgres not counted: {} rows/s per core", cpu.as_millis(), grouped(per_core));
    let middle = (trail.rows / 2) | 1;
    let other = middle - 1_000;
    let columns = psql(
        trail.server.url(),
        "SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute WHERE attrelid = 'audit_event'::regclass AND attnum > 0",
    )?;
    let saved = |seq: u64| {
        format!(
            "DELETE FROM audit_event WHERE seq = {seq}; INSERT INTO audit_event ({columns}) SELECT {columns} FROM saved WHERE seq = {seq}"
        )
    };
    let swap = format!(
        "UPDATE audit_event SET seq = -seq WHERE seq IN ({middle}, {other}); \
         UPDATE audit_event SET seq = CASE seq WHEN -{middle} THEN {other} ELSE {middle} END WHERE seq IN (-{middle}, -{other})"
    );
    let insert = format!(
        "INSERT INTO audit_event ({KEPT}) SELECT {} FROM audit_event WHERE seq = {middle}",
        KEPT.replacen("at,", "at + interval '1 microsecond',", 1)
    );
    tamper(trail, &format!("CREATE TABLE saved AS SELECT * FROM audit_event WHERE seq IN ({middle}, {other})"))?;
    let altered = |finding: &Finding| matches!(finding, Finding::Altered { seq, .. } if *seq == middle);
    let missing = |finding: &Finding| *finding == Finding::Missing { first: middle, last: middle };
    let moved = |finding: &Finding| matches!(finding, Finding::Reordered { seq, .. } if [middle, other].contains(seq));
    let inserted = |finding: &Finding| *finding == Finding::Inserted { seq: middle.cast_signed() };
    type Named<'a> = &'a dyn Fn(&Finding) -> bool;
    let cases: [(&str, String, Named<'_>, usize); 4] = [
        ("one byte altered", format!("UPDATE audit_event SET tool = 'read_text_filf' WHERE seq = {middle}"), &altered, 1),
        ("one row deleted", format!("DELETE FROM audit_event WHERE seq = {middle}"), &missing, 1),
        ("two rows swapped", swap, &moved, 2),
        ("one row inserted", insert, &inserted, 1),
    ];
    for (name, sql, is_named, count) in cases {
        tamper(trail, &sql)?;
        let found = report(trail).await?;
        let findings: Vec<&Finding> = found.streams.iter().flat_map(|stream| &stream.walked.findings).collect();
        ensure!(!found.ok && findings.len() == count && findings.iter().all(|one| is_named(one)), "{name}: {findings:?}");
        println!("{name}: found, {findings:?}");
        tamper(trail, &format!("{}; {}", saved(middle), saved(other)))?;
    }
    let clean = report(trail).await?;
    ensure!(clean.ok, "what was undone does not verify: {clean:?}");
    println!();
    Ok(())
}

/// On one thread, as `sp infra logs verify` does it.
async fn report(trail: &Trail) -> Result<Report> {
    let key = trail.keys.signing.public().try_into().context("a public key has 32 bytes")?;
    let config = trail.server.config();
    tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let mut client = Database::with_roles(config.clone(), config)?.get().await?;
            Ok(verify_all(&mut client, Some(Trust::new(Origin::Given, [key])), Range::default(), &[], &mut |_| {}).await?)
        })
    })
    .await?
}

/// As a superuser who switches the triggers off.
fn tamper(trail: &Trail, sql: &str) -> Result<()> {
    psql(trail.server.url(), &format!("SET session_replication_role = replica; {sql}")).map(drop)
}
