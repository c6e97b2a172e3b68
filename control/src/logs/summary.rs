//! What happened over a time, in numbers: how much of what, why not, who, where, and how long it took.

use std::collections::BTreeMap;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use schema::queries::summary as sql;
use serde::Serialize;

use super::LogsError;
use super::search::{Filter, SEARCH_TIMEOUT, Stored, failed, read_only};
use crate::postgres::Database;

/// Steps of the time that a summary is drawn in.
pub const STEPS: usize = 60;
/// The time a summary is about where none is given.
const SINCE_DEFAULT: SignedDuration = SignedDuration::from_hours(24);

/// Something and how often it was there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Count {
    /// What.
    pub name: String,
    /// How often.
    pub events: i64,
    /// How often of these it was refused.
    pub refused: i64,
}

/// Why something was refused, and how often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusals {
    /// The layer.
    pub layer: String,
    /// Its reason.
    pub reason: String,
    /// How often.
    pub events: i64,
}

/// How long something took, in microseconds, each within one per cent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[allow(missing_docs, reason = "percentiles say what they are")]
pub struct Latency {
    pub count: i64,
    pub p50_us: f64,
    pub p90_us: f64,
    pub p99_us: f64,
    pub p999_us: f64,
    pub max_us: f64,
}

/// What happened in one step of the time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Events, outcomes not counted by themselves.
    pub events: i64,
    /// Decisions that refused, or asked a person.
    pub refused: i64,
}

/// The numbers of a time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// From when.
    pub since: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// Events, outcomes not counted by themselves.
    pub events: i64,
    /// By kind.
    pub kinds: BTreeMap<String, i64>,
    /// Decisions by verdict.
    pub verdicts: BTreeMap<String, i64>,
    /// Why decisions refused, most often first.
    pub refusals: Vec<Refusals>,
    /// Who acted most.
    pub users: Vec<Count>,
    /// What was called most, as `server/tool`.
    pub tools: Vec<Count>,
    /// How forwarded calls ended.
    pub outcomes: BTreeMap<String, i64>,
    /// From the decision to the end of the reply; `None` where nothing was forwarded.
    pub duration: Option<Latency>,
    /// How long deciding took.
    pub decide: Option<Latency>,
    /// Seconds of one step.
    pub step_s: f64,
    /// [`STEPS`] steps from `since` to `until`.
    pub steps: Vec<Step>,
}

/// Adds up what the filter admits, of the last day where it names no time.
///
/// # Errors
/// The database is away, or adding up takes longer than 30 s.
pub async fn summary(database: &Database, filter: &Filter, top: u8) -> Result<Summary, LogsError> {
    let until = filter.until.unwrap_or_else(Timestamp::now);
    let since = filter.since.unwrap_or_else(|| until.saturating_sub(SINCE_DEFAULT).unwrap_or(Timestamp::MIN));
    let step_s = (until.duration_since(since).as_secs_f64() / STEPS as f64).max(1e-3);
    let query = Query { stored: Stored::from(filter), since, until, step_s, top: i32::from(top.max(1)) };
    let mut client = database.get().await?;
    let summed = query.run(&mut client);
    // The statements have the time together.
    let started = Instant::now();
    tokio::time::timeout(SEARCH_TIMEOUT, summed).await.map_err(|_| LogsError::TooSlow(started.elapsed().as_secs()))?
}

struct Query {
    stored: Stored,
    since: Timestamp,
    until: Timestamp,
    step_s: f64,
    top: i32,
}

impl Query {
    async fn run(&self, client: &mut deadpool_postgres::Object) -> Result<Summary, LogsError> {
        let failed = failed("sum up the audit stream");
        let transaction = read_only(client, SEARCH_TIMEOUT).await?;
        let c = &*transaction;
        let Query { stored: s, since, until, step_s, top } = self;
        let counts = sql::summary_counts()
            .bind(
                c, since, step_s, until, &s.kind, &s.user, &s.agent, &s.session, &s.server, &s.tool, &s.verdict, &s.layer,
                &s.rule, &s.text,
            )
            .all()
            .await
            .map_err(failed)?;
        let users = sql::summary_users()
            .bind(
                c, since, until, &s.kind, &s.user, &s.agent, &s.session, &s.server, &s.tool, &s.verdict, &s.layer, &s.rule,
                &s.text, top,
            )
            .all()
            .await
            .map_err(failed)?;
        let tools = sql::summary_tools()
            .bind(
                c, since, until, &s.kind, &s.user, &s.agent, &s.session, &s.server, &s.tool, &s.verdict, &s.layer, &s.rule,
                &s.text, top,
            )
            .all()
            .await
            .map_err(failed)?;
        let latency = sql::summary_latency()
            .bind(
                c, since, until, &s.kind, &s.user, &s.agent, &s.session, &s.server, &s.tool, &s.verdict, &s.layer, &s.rule,
                &s.text,
            )
            .all()
            .await
            .map_err(failed)?;
        let decide = sql::summary_decide()
            .bind(
                c, since, until, &s.kind, &s.user, &s.agent, &s.session, &s.server, &s.tool, &s.verdict, &s.layer, &s.rule,
                &s.text,
            )
            .all()
            .await
            .map_err(failed)?;
        transaction.commit().await.map_err(failed)?;

        let mut summary = self.empty();
        counts.into_iter().for_each(|row| summary.add(row));
        summary.refusals.sort_by(|a, b| b.events.cmp(&a.events).then_with(|| a.reason.cmp(&b.reason)));
        summary.users =
            users.into_iter().map(|row| Count { name: row.user_id, events: row.events, refused: row.refused }).collect();
        summary.tools = tools
            .into_iter()
            .map(|row| Count { name: format!("{}/{}", row.server, row.tool), events: row.events, refused: row.refused })
            .collect();
        let mut durations = BTreeMap::new();
        for row in latency {
            *summary.outcomes.entry(row.status.unwrap_or_default()).or_default() += row.calls;
            *durations.entry(row.step).or_default() += row.calls;
        }
        summary.duration = latency_of(&durations, 1.0);
        summary.decide = latency_of(&decide.into_iter().map(|row| (row.step, row.calls)).collect(), 1e-3);
        Ok(summary)
    }

    fn empty(&self) -> Summary {
        Summary {
            since: self.since,
            until: self.until,
            events: 0,
            kinds: BTreeMap::new(),
            verdicts: BTreeMap::new(),
            refusals: Vec::new(),
            users: Vec::new(),
            tools: Vec::new(),
            outcomes: BTreeMap::new(),
            duration: None,
            decide: None,
            step_s: self.step_s,
            steps: vec![Step::default(); STEPS],
        }
    }
}

impl Summary {
    fn add(&mut self, row: sql::SummaryCounts) {
        self.events += row.events;
        *self.kinds.entry(row.kind.clone()).or_default() += row.events;
        let refused = row.kind == "decision" && row.verdict != "allow";
        let step = usize::try_from(row.step).unwrap_or(0).min(STEPS - 1);
        if let Some(step) = self.steps.get_mut(step) {
            step.events += row.events;
            step.refused += if refused { row.events } else { 0 };
        }
        if row.kind != "decision" {
            return;
        }
        *self.verdicts.entry(row.verdict).or_default() += row.events;
        if !refused {
            return;
        }
        match self.refusals.iter_mut().find(|known| known.layer == row.layer && known.reason == row.reason) {
            Some(known) => known.events += row.events,
            None => self.refusals.push(Refusals { layer: row.layer, reason: row.reason, events: row.events }),
        }
    }
}

/// Percentiles of what was counted in steps of a hundredth of the natural logarithm; `scale` makes microseconds of them.
fn latency_of(steps: &BTreeMap<i32, i64>, scale: f64) -> Option<Latency> {
    let count: i64 = steps.values().sum();
    let value = |step: i32| (f64::from(step) / 100.0).exp() * scale;
    let at = |share: f64| {
        let wanted = (count as f64 * share).ceil() as i64;
        let mut below = 0;
        let found = steps.iter().find(|(_, calls)| {
            below += **calls;
            below >= wanted
        });
        found.map_or(0.0, |(step, _)| value(*step))
    };
    let (max, _) = steps.last_key_value()?;
    Some(Latency { count, p50_us: at(0.5), p90_us: at(0.9), p99_us: at(0.99), p999_us: at(0.999), max_us: value(*max) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_within_one_per_cent() {
        let mut steps = BTreeMap::new();
        for us in 1..=10_000_u32 {
            *steps.entry((100.0 * f64::from(us).ln()).round() as i32).or_insert(0) += 1;
        }
        let found = latency_of(&steps, 1.0).unwrap();
        assert_eq!(found.count, 10_000);
        for (found, want) in [
            (found.p50_us, 5_000.0),
            (found.p90_us, 9_000.0),
            (found.p99_us, 9_900.0),
            (found.p999_us, 9_990.0),
            (found.max_us, 10_000.0),
        ] {
            assert!((found / want - 1.0).abs() < 0.01, "{found} for {want}");
        }
        assert_eq!(latency_of(&BTreeMap::new(), 1.0), None);
    }
}
