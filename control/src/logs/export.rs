//! Everything that a filter admits, oldest first, page by page. A page costs the same wherever it begins, and memory holds
//! one page, so that a year is exported as an hour is.

use std::time::Duration;

use jiff::Timestamp;
use schema::queries::logs as sql;

use super::LogsError;
use super::event::AuditEvent;
use super::search::{Filter, Place, Stored, failed, oldest, read_only};
use crate::postgres::Database;

/// LIMIT: events of one page; some megabytes as JSON.
pub const EXPORT_PAGE_MAX: u16 = 5_000;
/// LIMIT: a page that takes longer looks for something rare in too long a time.
const PAGE_TIMEOUT: Duration = Duration::from_secs(60);

/// A page of an export.
#[derive(Debug, Clone, PartialEq)]
pub struct ExportPage {
    /// The events, oldest first.
    pub events: Vec<AuditEvent>,
    /// Where the next page begins; `None` when this was the last.
    pub next: Option<Place>,
}

/// The oldest events that the filter lets through, or those behind `after`; at most `max` of them and of
/// [`EXPORT_PAGE_MAX`]. Pages of one export belong together when they have the same filter with the same `until`.
///
/// # Errors
/// The database is away, or the page takes too long.
pub async fn export(database: &Database, filter: &Filter, after: Option<Place>, max: u16) -> Result<ExportPage, LogsError> {
    let max = max.clamp(1, EXPORT_PAGE_MAX);
    let mut client = database.get().await?;
    let since = match filter.since {
        Some(since) => since,
        None => oldest(&client).await?,
    };
    // PostgreSQL knows no moment as early as the earliest here; the trail begins later than either.
    let after = after.unwrap_or(Place { at: Timestamp::UNIX_EPOCH, stream_id: 0, seq: 0 });
    let (since, until) = (since.max(after.at), filter.until.unwrap_or(Timestamp::MAX));
    let failed = failed("export the audit stream");
    let stored = Stored::from(filter);
    let transaction = read_only(&mut client, PAGE_TIMEOUT).await?;
    let rows = sql::export()
        .bind(
            &*transaction,
            &since,
            &until,
            &after.at,
            &after.stream_id,
            &after.seq,
            &stored.kind,
            &stored.user,
            &stored.agent,
            &stored.session,
            &stored.server,
            &stored.tool,
            &stored.verdict,
            &stored.layer,
            &stored.rule,
            &stored.text,
            &i32::from(max),
        )
        .all()
        .await
        .map_err(failed)?;
    transaction.commit().await.map_err(failed)?;
    let next = rows.last().filter(|_| rows.len() == usize::from(max));
    let next = next.map(|last| Place { at: last.at, stream_id: last.stream_id, seq: last.seq });
    Ok(ExportPage { events: rows.into_iter().map(AuditEvent::from).collect(), next })
}
