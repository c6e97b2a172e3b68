//! Signing how far each stream has come, on a schedule and at the end.
//!
//! What is signed comes from this node's own journal, never from the database alone, so that nobody can have altered rows
//! signed. The last checkpoint of each stream also lies beside its journal: if the database loses it, it is put back, and
//! those before it are missed aloud.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dataplane::journal::StreamPosition;
use dataplane::journal::segment::stream_dir;
use schema::queries::evidence as sql;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use wire::checkpoint::Checkpoint;
use wire::frame::Chain;
use wire::ids::{NodeId, SeqNo};

use crate::disk;
use crate::keys::Keys;
use crate::postgres::{Connection, Database, PostgresError, error_chain};
use crate::shipper::StreamStatus;

/// How often streams that grew are signed. LIMIT: what is younger than this is linked and not signed yet.
pub const EVERY: Duration = Duration::from_secs(30);

/// A checkpoint as text: one line of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    node: String,
    shard: u16,
    number: u64,
    at_us: u64,
    seq: u64,
    chain: String,
    previous: String,
    kid: String,
    signature: String,
}

impl From<&Checkpoint> for Line {
    fn from(checkpoint: &Checkpoint) -> Line {
        let hex = |bytes: [u8; 32]| blake3::Hash::from_bytes(bytes).to_hex().to_string();
        Line {
            node: checkpoint.node.to_string(),
            shard: checkpoint.shard,
            number: checkpoint.number,
            at_us: checkpoint.at_us,
            seq: checkpoint.seq.0,
            chain: hex(checkpoint.chain.0),
            previous: hex(checkpoint.previous),
            kid: checkpoint.kid.clone(),
            signature: URL_SAFE_NO_PAD.encode(checkpoint.signature),
        }
    }
}

impl Line {
    /// The checkpoint; its signature has not been looked at.
    ///
    /// # Errors
    /// Which member is not what it should be.
    pub fn checkpoint(&self) -> Result<Checkpoint, String> {
        let hash = |name: &str, text: &str| {
            blake3::Hash::from_hex(text).map(|hash| *hash.as_bytes()).map_err(|_| format!("`{name}` is not 64 hex digits"))
        };
        let signature = URL_SAFE_NO_PAD.decode(&self.signature).ok().and_then(|bytes| bytes.try_into().ok());
        Ok(Checkpoint {
            node: self.node.parse().map_err(|_| "`node` is not a node id".to_owned())?,
            shard: self.shard,
            number: self.number,
            at_us: self.at_us,
            seq: SeqNo(self.seq),
            chain: Chain(hash("chain", &self.chain)?),
            previous: hash("previous", &self.previous)?,
            kid: self.kid.clone(),
            signature: signature.ok_or("`signature` is not 64 bytes in base64url")?,
        })
    }
}

/// Signs the streams of this node.
pub struct Checkpointer {
    database: Database,
    keys: Arc<Keys>,
    journal_dir: PathBuf,
    streams: Vec<watch::Receiver<StreamStatus>>,
}

impl Checkpointer {
    /// For these streams, whose journals lie below `journal_dir`.
    pub fn new(
        database: Database,
        keys: Arc<Keys>,
        journal_dir: &Path,
        streams: Vec<watch::Receiver<StreamStatus>>,
    ) -> Checkpointer {
        Checkpointer { database, keys, journal_dir: journal_dir.to_owned(), streams }
    }

    /// Signs every stream that grew since it was signed last, and says how many those were.
    ///
    /// # Errors
    /// The database does not take them.
    pub async fn sign(&self) -> Result<usize, PostgresError> {
        let mut grown = Vec::new();
        for stream in &self.streams {
            let status = stream.borrow();
            grown.extend(status.proven.filter(|proven| proven.seq.0 > 0).map(|proven| (status.shard, proven)));
        }
        if grown.is_empty() {
            return Ok(0);
        }
        let client = self.database.get().await?;
        let node = uuid::Uuid::from_bytes(self.keys.node.0);
        let failed = || PostgresError::query("store audit checkpoints");
        sql::add_key().bind(&**client, &self.keys.signing.kid(), &self.keys.signing.public(), &node).await.map_err(failed())?;
        let mut count = 0;
        for (shard, proven) in grown {
            count += usize::from(self.sign_stream(&client, shard, proven).await?);
        }
        Ok(count)
    }

    /// Returns whether there was anything new.
    async fn sign_stream(&self, client: &Connection, shard: u16, proven: StreamPosition) -> Result<bool, PostgresError> {
        let failed = || PostgresError::query("store audit checkpoints");
        let node = uuid::Uuid::from_bytes(self.keys.node.0);
        let stored = sql::last_checkpoint().bind(&***client, &node, &i32::from(shard)).opt().await.map_err(failed())?;
        let stored = stored.and_then(of_row);
        let dir = stream_dir(&self.journal_dir, shard);
        let kept = Kept::load(&dir);
        if let Some(kept) = &kept
            && stored.as_ref().is_none_or(|stored| stored.number < kept.number)
        {
            let number = stored.as_ref().map_or(0, |stored| stored.number);
            if number + 1 < kept.number {
                tracing::error!(
                    shard,
                    first = number + 1,
                    last = kept.number - 1,
                    "signed checkpoints are not in the database any more: it lost them, or somebody removed them"
                );
            }
            add(client, kept).await.map_err(failed())?;
        }
        let last = [kept, stored].into_iter().flatten().max_by_key(|checkpoint| checkpoint.number);
        if last.as_ref().is_some_and(|last| last.seq >= proven.seq) {
            return Ok(false);
        }
        let mut checkpoint = Checkpoint {
            node: self.keys.node,
            shard,
            number: last.as_ref().map_or(1, |last| last.number + 1),
            at_us: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64),
            seq: proven.seq,
            chain: proven.chain,
            previous: last.as_ref().map_or([0; 32], Checkpoint::digest),
            kid: self.keys.signing.kid().to_owned(),
            signature: [0; 64],
        };
        checkpoint.signature = self.keys.signing.sign(&checkpoint.message());
        // Kept first: a number is never given twice, whatever happens to the database.
        let to_keep = checkpoint.clone();
        match tokio::task::spawn_blocking(move || Kept::store(&dir, &to_keep)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(shard, %error, "the last checkpoint cannot be kept beside the journal"),
            Err(error) => tracing::warn!(shard, %error, "the last checkpoint cannot be kept beside the journal"),
        }
        add(client, &checkpoint).await.map_err(failed())?;
        Ok(true)
    }
}

/// Signs every [`EVERY`], for ever. What fails is tried again the next time.
pub async fn run(checkpointer: Arc<Checkpointer>) {
    let mut was_failing = false;
    loop {
        tokio::time::sleep(EVERY).await;
        let failed = checkpointer.sign().await.err();
        if let Some(error) = &failed
            && !was_failing
        {
            tracing::warn!(error = %error_chain(error), "audit checkpoints cannot be stored; trying again");
        }
        was_failing = failed.is_some();
    }
}

async fn add(client: &Connection, checkpoint: &Checkpoint) -> Result<u64, tokio_postgres::Error> {
    let at = jiff::Timestamp::from_microsecond(checkpoint.at_us.cast_signed()).unwrap_or(jiff::Timestamp::MAX);
    sql::add_checkpoint()
        .bind(
            &***client,
            &uuid::Uuid::from_bytes(checkpoint.node.0),
            &i32::from(checkpoint.shard),
            &checkpoint.number.cast_signed(),
            &at,
            &checkpoint.seq.0.cast_signed(),
            &checkpoint.chain.0.as_slice(),
            &checkpoint.previous.as_slice(),
            &checkpoint.kid.as_str(),
            &checkpoint.signature.as_slice(),
        )
        .await
}

/// The last checkpoint of a stream, beside its journal.
struct Kept;

impl Kept {
    fn path(dir: &Path) -> PathBuf {
        dir.join("checkpoint")
    }

    fn load(dir: &Path) -> Option<Checkpoint> {
        let text = std::fs::read(Kept::path(dir)).ok()?;
        serde_json::from_slice::<Line>(&text).ok()?.checkpoint().ok()
    }

    fn store(dir: &Path, checkpoint: &Checkpoint) -> std::io::Result<()> {
        disk::replace(&Kept::path(dir), &serde_json::to_vec(&Line::from(checkpoint))?)
    }
}

/// Every checkpoint in the database, in order of stream and number: what is to be kept elsewhere.
///
/// # Errors
/// The database cannot be asked.
pub async fn export(client: &mut tokio_postgres::Client) -> Result<Vec<Checkpoint>, PostgresError> {
    all(&client.transaction().await.map_err(PostgresError::query("read audit checkpoints"))?).await
}

pub(crate) async fn all(client: &tokio_postgres::Transaction<'_>) -> Result<Vec<Checkpoint>, PostgresError> {
    let rows = sql::checkpoints().bind(client).all().await.map_err(PostgresError::query("read audit checkpoints"))?;
    Ok(rows.into_iter().filter_map(of_row).collect())
}

fn of_row(row: sql::StoredCheckpoint) -> Option<Checkpoint> {
    Some(Checkpoint {
        node: NodeId(row.node.into_bytes()),
        shard: row.shard.try_into().ok()?,
        number: row.number.cast_unsigned(),
        at_us: row.at.as_microsecond().cast_unsigned(),
        seq: SeqNo(row.seq.cast_unsigned()),
        chain: Chain(row.chain.try_into().ok()?),
        previous: row.previous.try_into().ok()?,
        kid: row.kid,
        signature: row.signature.try_into().ok()?,
    })
}

#[cfg(test)]
mod tests;
