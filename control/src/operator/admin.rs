//! What the commands of the `admin` domain share: the database, pages of a list, moments that lie ahead, and putting
//! into force what was changed before the answer is given.

use clap::Args;
use jiff::{SignedDuration, Span, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Caller, CommandError};
use crate::app::App;
use crate::app::publish::Wish;
pub(super) use crate::cli::table::record as lines;
use crate::postgres::{Connection, DatabaseState};

/// LIMIT: rows of one page.
const PAGE_MAX: u16 = 1000;

/// Tokens live at most 30 days, so a revocation that is older voids nothing.
pub(crate) const REVOCATION_LIFE: SignedDuration = SignedDuration::from_hours(31 * 24);

/// Which part of a list.
#[derive(Debug, Clone, Args, Serialize, Deserialize, JsonSchema)]
pub(super) struct Page {
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=1000))]
    #[serde(default = "hundred")]
    #[schemars(range(min = 1, max = 1000))]
    limit: u16,
    /// Go on after this one: the `next` of the page before
    #[arg(long, value_name = "ID")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<String>,
}

fn hundred() -> u16 {
    100
}

impl Page {
    /// For a query: how many, and after which.
    pub(super) fn bounds(&self) -> (i32, &str) {
        (i32::from(self.limit.clamp(1, PAGE_MAX)), self.after.as_deref().unwrap_or_default())
    }

    /// The answer: these rows below `name`, and where the next page begins. `id` names the member that rows are
    /// ordered by.
    pub(super) fn answer(&self, name: &str, rows: Vec<Value>, id: &str) -> Value {
        let is_full = rows.len() == usize::from(self.limit.clamp(1, PAGE_MAX));
        let next = rows.last().filter(|_| is_full).map(|row| row[id].clone());
        json!({ name: rows, "next": next })
    }
}

/// A connection, or why nothing was done.
pub(super) async fn connect(app: &App) -> Result<Connection, CommandError> {
    let away = |why: String| CommandError::Failed(format!("the database is away, so nothing was done: {why}"));
    if let DatabaseState::Down { reason } = &*app.database.state().borrow() {
        return Err(away(reason.clone()));
    }
    app.database.get().await.map_err(|error| away(error.to_string()))
}

/// What the database said instead of doing it.
pub(super) fn refused(error: tokio_postgres::Error) -> CommandError {
    CommandError::Failed(format!("the database refused: {}", crate::postgres::error_chain(&error)))
}

/// Puts into force what was just stored. When this returns well, every shard decides by it.
pub(super) async fn in_force(app: &App, caller: &Caller, why: &str) -> Result<u64, CommandError> {
    let wish = Wish { user: &caller.claims.sub, trace: caller.trace, why };
    let published = app.publishing.refresh(wish).await;
    published.map(|published| published.generation).map_err(|error| {
        CommandError::Failed(format!("it is stored but not in force yet, and comes into force with the next policy: {error}"))
    })
}

/// A moment that lies ahead: `30d`, `12h`, or a time.
pub(super) fn ahead(text: &str) -> Result<Timestamp, CommandError> {
    let wrong = || CommandError::Usage(format!("`{text}` is not a time that lies ahead; write 12h, 30d, or 2027-01-31T00:00Z"));
    let now = Timestamp::now();
    let at = match text.parse::<Timestamp>() {
        Ok(at) => at,
        Err(_) => {
            let span: Span = text.parse().map_err(|_| wrong())?;
            let days = span.get_days().checked_add(span.get_weeks().checked_mul(7).ok_or_else(wrong)?).ok_or_else(wrong)?;
            let rest = span.days(0).weeks(0);
            let length = SignedDuration::try_from(rest).map_err(|_| wrong())?;
            let length = length.checked_add(SignedDuration::from_hours(i64::from(days) * 24)).ok_or_else(wrong)?;
            now.checked_add(length).map_err(|_| wrong())?
        }
    };
    if at > now { Ok(at) } else { Err(wrong()) }
}

/// The same for an argument that may be left out.
pub(super) fn ahead_or_never(text: Option<&str>) -> Result<Option<Timestamp>, CommandError> {
    text.map(ahead).transpose()
}

/// The ids of a list, as texts.
pub(super) fn texts<T: ToString>(ids: &[T]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

/// A list, and how to see more of it.
pub(super) fn rows(result: &Value, name: &str, columns: &[&str], out: &mut dyn std::io::Write) -> std::io::Result<()> {
    let empty = Vec::new();
    let rows = result[name].as_array().unwrap_or(&empty);
    write!(out, "{}", crate::cli::table::of(columns, rows))?;
    match result["next"].as_str() {
        Some(next) => writeln!(out, "more follow: add --after {}", crate::cli::table::printable(next)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn moments_lie_ahead() {
        let now = Timestamp::now();
        for (text, hours) in [("12h", 12), ("30d", 720), ("2w", 336), ("1d 2h", 26)] {
            let at = ahead(text).unwrap();
            let distance = at.duration_since(now) - SignedDuration::from_hours(hours);
            assert!(distance.abs() < SignedDuration::from_secs(60), "{text}: {at}");
        }
        assert!(ahead("2999-01-01T00:00Z").is_ok());
        for wrong in ["", "yesterday", "2001-01-01T00:00Z", "-3h", "0s", "30", "99999999999d"] {
            assert!(ahead(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_full_page_says_where_the_next_begins() {
        let page = Page { limit: 2, after: None };
        let rows = |ids: &[&str]| ids.iter().map(|id| json!({ "id": id })).collect();
        assert_eq!(page.answer("users", rows(&["a", "b"]), "id")["next"], "b");
        assert!(page.answer("users", rows(&["a"]), "id")["next"].is_null());
    }
}
