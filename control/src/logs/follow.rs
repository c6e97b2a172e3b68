//! What is new, as it arrives. A place is kept per stream: the rows of one stream are committed in its order, so that
//! nothing is passed over however the commits of several streams interleave.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schema::queries::{logs as sql, stream};

use super::{Event, LogsError};
use crate::postgres::{Database, PostgresError};

/// A reader that goes along with the audit stream.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Follow {
    places: BTreeMap<i32, i64>,
}

/// A text is not a place in the audit stream.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a place in the audit stream; take `next` from the answer before")]
pub struct FollowError(String);

impl From<Follow> for String {
    fn from(follow: Follow) -> String {
        let places: Vec<String> = follow.places.iter().map(|(stream, seq)| format!("{stream}.{seq}")).collect();
        places.join(",")
    }
}

impl TryFrom<String> for Follow {
    type Error = FollowError;
    fn try_from(text: String) -> Result<Follow, FollowError> {
        let place = |part: &str| {
            let (stream, seq) = part.split_once('.')?;
            Some((stream.parse().ok()?, seq.parse().ok()?))
        };
        let places: Option<BTreeMap<i32, i64>> = text.split(',').filter(|part| !part.is_empty()).map(place).collect();
        places.map(|places| Follow { places }).ok_or_else(|| FollowError(text.chars().take(80).collect()))
    }
}

impl std::str::FromStr for Follow {
    type Err = FollowError;
    fn from_str(text: &str) -> Result<Follow, FollowError> {
        Follow::try_from(text.to_owned())
    }
}

impl Follow {
    /// From the first event that is kept.
    pub fn from_the_beginning() -> Follow {
        Follow::default()
    }

    /// From what comes after this moment.
    ///
    /// # Errors
    /// The database is away.
    pub async fn from_now(database: &Database) -> Result<Follow, LogsError> {
        let client = database.get().await?;
        let streams =
            stream::watermarks().bind(&**client).all().await.map_err(PostgresError::query("find where the streams are"))?;
        Ok(Follow { places: streams.into_iter().map(|stream| (stream.id, stream.seq)).collect() })
    }

    /// From what happened at this moment or later.
    ///
    /// # Errors
    /// The database is away.
    pub async fn from_time(database: &Database, since: Timestamp) -> Result<Follow, LogsError> {
        let client = database.get().await?;
        let failed = PostgresError::query("find where the streams were");
        let streams = sql::places_at().bind(&**client, &since).all().await.map_err(failed)?;
        Ok(Follow { places: streams.into_iter().map(|stream| (stream.id, stream.seq)).collect() })
    }

    /// What has come since the last call, in order of time, at most `max` events of each stream, each with the place behind
    /// it; empty when there is nothing. On an error nothing is passed over: call again.
    ///
    /// # Errors
    /// The database is away.
    pub async fn next(&mut self, database: &Database, max: u16) -> Result<Vec<(Event, Follow)>, LogsError> {
        let failed = || PostgresError::query("follow the audit stream");
        let client = database.get().await?;
        // The watermarks say which streams moved; asking the others would look into every partition for nothing.
        let streams = stream::watermarks().bind(&**client).all().await.map_err(failed())?;
        let (mut ids, mut seqs) = (Vec::new(), Vec::new());
        for stream in streams {
            let place = self.places.get(&stream.id).copied().unwrap_or(0);
            if stream.seq > place {
                ids.push(stream.id);
                seqs.push(place);
            }
        }
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let events = sql::follow().bind(&**client, &ids, &seqs, &i32::from(max)).all().await.map_err(failed())?;
        let mut after = self.clone();
        for event in &events {
            let place = after.places.entry(event.stream_id).or_default();
            *place = event.seq.max(*place);
        }
        let places = places_behind(&events, &after);
        *self = after;
        Ok(events.into_iter().zip(places).collect())
    }
}

/// The place behind each event. A clock that was set back puts a stream's events out of order; then a place lies before the
/// earliest that is still to come, so that going on from it passes nothing over.
fn places_behind(events: &[Event], after: &Follow) -> Vec<Follow> {
    let mut place = after.clone();
    let mut places: Vec<Follow> = Vec::with_capacity(events.len());
    for event in events.iter().rev() {
        places.push(place.clone());
        let behind = place.places.entry(event.stream_id).or_insert(event.seq);
        *behind = (*behind).min(event.seq - 1);
    }
    places.reverse();
    places
}
