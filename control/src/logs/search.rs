//! Newest first, page by page. A search walks back in time through windows that grow, so that a page of what has just
//! happened costs the same whether a day or a year is kept.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use schema::audit::Escaped;
use schema::queries::logs::{self as sql, Event};
use tokio_postgres::error::SqlState;
use wire::decision::{EventKind, Layer, Verdict};

use super::LogsError;
use crate::postgres::{Database, PostgresError};

/// Most events of a page. LIMIT: more than anyone reads at once; a page is held in memory whole.
pub const EVENTS_MAX: usize = 1_000;
/// LIMIT: a search that finds nothing reads everything that is kept; it is given up after this.
pub(super) const SEARCH_TIMEOUT: Duration = Duration::from_secs(30);
/// The first window. The next ones are [`WINDOW_GROWTH`] times as long each.
const WINDOW: jiff::SignedDuration = jiff::SignedDuration::from_mins(10);
const WINDOW_GROWTH: i32 = 6;

/// What to look for: everything that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Not before.
    pub since: Option<Timestamp>,
    /// Before, exclusively.
    pub until: Option<Timestamp>,
    /// Only this kind of event. Without it outcomes are not listed by themselves: each decision shows its own.
    pub kind: Option<EventKind>,
    /// The subject of the credential.
    pub user: Option<String>,
    /// The agent.
    pub agent: Option<String>,
    /// The log-in session.
    pub session: Option<String>,
    /// The MCP server.
    pub server: Option<String>,
    /// The tool, prompt or resource.
    pub tool: Option<String>,
    /// What was decided.
    pub verdict: Option<Verdict>,
    /// Which layer refused.
    pub layer: Option<Layer>,
    /// The grant or rule.
    pub rule: Option<String>,
    /// Stands anywhere in the event's texts, in any case of letters.
    pub text: Option<String>,
}

/// A filter's words as they stand in Postgres, in the order in which every query takes them.
pub(super) struct Stored {
    pub(super) kind: Option<&'static str>,
    pub(super) user: Option<String>,
    pub(super) agent: Option<String>,
    pub(super) session: Option<String>,
    pub(super) server: Option<String>,
    pub(super) tool: Option<String>,
    pub(super) verdict: Option<&'static str>,
    pub(super) layer: Option<&'static str>,
    pub(super) rule: Option<String>,
    pub(super) text: Option<String>,
}

impl From<&Filter> for Stored {
    fn from(filter: &Filter) -> Stored {
        let Filter { since: _, until: _, kind, user, agent, session, server, tool, verdict, layer, rule, text } = filter;
        let stored = |text: &Option<String>| text.as_deref().map(|text| Escaped::stored(text).into_owned());
        Stored {
            kind: kind.map(EventKind::as_str),
            user: stored(user),
            agent: stored(agent),
            session: stored(session),
            server: stored(server),
            tool: stored(tool),
            verdict: verdict.map(Verdict::as_str),
            layer: layer.map(Layer::as_str),
            rule: stored(rule),
            text: stored(text),
        }
    }
}

/// Where a page ended, to go on from; prints as one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub(super) at: Timestamp,
    pub(super) stream_id: i32,
    pub(super) seq: i64,
}

/// A text is not a place.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not the end of a page; take `next` from the page before")]
pub struct PlaceError(String);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.at.as_microsecond(), self.stream_id, self.seq)
    }
}

impl FromStr for Place {
    type Err = PlaceError;
    fn from_str(text: &str) -> Result<Place, PlaceError> {
        let parse = || {
            let mut parts = text.splitn(3, '.');
            let at = Timestamp::from_microsecond(parts.next()?.parse().ok()?).ok()?;
            Some(Place { at, stream_id: parts.next()?.parse().ok()?, seq: parts.next()?.parse().ok()? })
        };
        parse().ok_or_else(|| PlaceError(text.chars().take(80).collect()))
    }
}

/// Some events, newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The events.
    pub events: Vec<Event>,
    /// Where the next page begins; `None` when this was the last.
    pub next: Option<Place>,
}

/// The newest events that the filter lets through, or those before `before`; at most `max` of them and of [`EVENTS_MAX`].
///
/// # Errors
/// The database is away, or the search takes longer than 30 s.
pub async fn search(database: &Database, filter: &Filter, before: Option<Place>, max: usize) -> Result<Page, LogsError> {
    let max = max.clamp(1, EVENTS_MAX);
    let deadline = Instant::now() + SEARCH_TIMEOUT;
    let mut client = database.get().await?;
    let oldest = match filter.since {
        Some(since) => since,
        None => oldest(&client).await?,
    };
    let mut events: Vec<Event> = Vec::new();
    let mut before = before.unwrap_or(Place { at: Timestamp::MAX, stream_id: i32::MAX, seq: i64::MAX });
    // Rows of a clock that runs ahead belong to the first window, which has no end.
    let mut window = Window::first(filter.until, before.at, oldest);
    loop {
        let remaining = deadline.saturating_duration_since(Instant::now());
        let query = Query { filter, window: &window, before, max: max - events.len() };
        let found = query.run(&mut client, remaining).await?;
        if let Some(last) = found.last() {
            before = Place { at: last.at, stream_id: last.stream_id, seq: last.seq };
        }
        events.extend(found);
        if events.len() == max {
            return Ok(Page { events, next: Some(before) });
        }
        match window.earlier(oldest) {
            Some(earlier) => window = earlier,
            None => return Ok(Page { events, next: None }),
        }
    }
}

/// A stretch of time, its end not included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Window {
    since: Timestamp,
    until: Timestamp,
    length: jiff::SignedDuration,
}

impl Window {
    fn first(until: Option<Timestamp>, before: Timestamp, oldest: Timestamp) -> Window {
        let until = until
            .unwrap_or(Timestamp::MAX)
            .min(before.saturating_add(jiff::SignedDuration::from_micros(1)).unwrap_or(Timestamp::MAX));
        let since = until.min(Timestamp::now()).saturating_sub(WINDOW).unwrap_or(Timestamp::MIN).max(oldest);
        Window { since, until, length: WINDOW }
    }

    fn earlier(&self, oldest: Timestamp) -> Option<Window> {
        if self.since <= oldest {
            return None;
        }
        let length = self.length * WINDOW_GROWTH;
        let since = self.since.saturating_sub(length).unwrap_or(Timestamp::MIN).max(oldest);
        Some(Window { since, until: self.since, length })
    }
}

struct Query<'a> {
    filter: &'a Filter,
    window: &'a Window,
    before: Place,
    max: usize,
}

impl Query<'_> {
    async fn run(&self, client: &mut deadpool_postgres::Object, timeout: Duration) -> Result<Vec<Event>, LogsError> {
        let failed = failed("search the audit stream");
        let stored = Stored::from(self.filter);
        let transaction = read_only(client, timeout).await?;
        let events = sql::search()
            .bind(
                &*transaction,
                &self.window.since,
                &self.window.until,
                &self.before.at,
                &self.before.stream_id,
                &self.before.seq,
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
                &(self.max as i32),
            )
            .all()
            .await
            .map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        Ok(events)
    }
}

/// What a failed query means to whoever asked.
pub(super) fn failed(action: &'static str) -> impl Fn(tokio_postgres::Error) -> LogsError + Copy {
    move |source| match source.code() {
        Some(code) if *code == SqlState::QUERY_CANCELED => LogsError::TooSlow(SEARCH_TIMEOUT.as_secs()),
        _ => PostgresError::Query { action, source }.into(),
    }
}

/// A transaction that sees one state and that PostgreSQL ends when nobody waits for it any more.
pub(super) async fn read_only(
    client: &mut deadpool_postgres::Object,
    timeout: Duration,
) -> Result<deadpool_postgres::Transaction<'_>, LogsError> {
    let failed = failed("read the audit stream");
    let transaction = client
        .build_transaction()
        .read_only(true)
        .isolation_level(tokio_postgres::IsolationLevel::RepeatableRead)
        .start()
        .await
        .map_err(failed)?;
    // A plan for any filter would fit none: most of each query's conditions are not asked for.
    let limit =
        format!("SET LOCAL statement_timeout = {}; SET LOCAL plan_cache_mode = force_custom_plan", timeout.as_millis().max(1));
    transaction.batch_execute(&limit).await.map_err(failed)?;
    Ok(transaction)
}

/// When the oldest day begins that is kept.
pub(super) async fn oldest(client: &tokio_postgres::Client) -> Result<Timestamp, LogsError> {
    let first = sql::first_day().bind(client).one().await.map_err(PostgresError::query("find the oldest day"))?;
    Ok(first.and_then(|day| day.to_zoned(TimeZone::UTC).ok()).map_or(Timestamp::MIN, |day| day.timestamp()))
}

impl Filter {
    /// Whether an event would be found.
    pub fn admits(&self, event: &Event) -> bool {
        let is = |wanted: Option<&str>, found: &Option<String>| {
            wanted.is_none_or(|wanted| found.as_deref() == Some(&*Escaped::stored(wanted)))
        };
        self.since.is_none_or(|since| event.at >= since)
            && self.until.is_none_or(|until| event.at < until)
            && self.kind.is_none_or(|kind| event.kind == kind.as_str())
            && is(self.user.as_deref(), &event.user_id)
            && is(self.agent.as_deref(), &event.agent)
            && is(self.session.as_deref(), &event.session)
            && is(self.server.as_deref(), &event.server)
            && is(self.tool.as_deref(), &event.tool)
            && is(self.verdict.map(Verdict::as_str), &event.verdict)
            && is(self.layer.map(Layer::as_str), &event.layer)
            && is(self.rule.as_deref(), &event.rule)
            && self.text.as_deref().is_none_or(|text| stands_in(text, event))
    }
}

fn stands_in(text: &str, event: &Event) -> bool {
    let wanted = Escaped::stored(text).to_lowercase();
    let texts = [
        &event.user_id,
        &event.agent,
        &event.server,
        &event.tool,
        &event.method,
        &event.rule,
        &event.reason,
        &event.evidence,
        &event.observed,
        &event.args_preview,
        &event.error,
        &event.action,
        &event.subject,
        &event.detail,
    ];
    texts.into_iter().flatten().any(|found| found.to_lowercase().contains(&wanted))
}
