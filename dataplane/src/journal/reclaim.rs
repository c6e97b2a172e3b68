//! Deleting what everybody has read.
//!
//! *Lives on* any thread, one at a time per stream; blocking.

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use wire::ids::SeqNo;

use super::open_calls::OpenCalls;
use super::{ReadError, consumer, segment};

/// LIMIT: longer than a charge that another shard has admitted is on its way into the journal.
const RATES_SLACK: Duration = Duration::from_secs(5);

/// Which segments may go.
#[derive(Debug, Clone, Copy)]
pub struct Reclaim<'a> {
    /// Every record up to this one is committed in Postgres.
    pub below: SeqNo,
    /// Segments that were written to within this time stay.
    pub keep: Duration,
    /// Since when charges of rate limits may be nowhere but in the journal: segments that were written to after it stay,
    /// since a restart reads the limits' state from them. See [`super::rates`]. Units: µs since 1970.
    pub rates_noted_us: u64,
    /// A stream that is larger than this does not wait for its consumers any more; they are overtaken.
    pub held_bytes_max: u64,
    /// The open calls as of `below`, noted durably before anything is deleted. Left alone when what is noted already
    /// reaches farther.
    pub open: &'a OpenCalls,
}

/// What [`reclaim`] deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reclaimed {
    /// How many segments.
    pub segment_count: u64,
    /// How many bytes of disk.
    pub bytes: u64,
    /// How many of the segments a consumer had not read yet.
    pub overtaken_count: u64,
}

/// Deletes the oldest segments as far as `wanted` allows. The newest segment always stays: it says where the stream goes
/// on. The writer notices the freed space by itself.
///
/// # Errors
/// [`ReadError`]; what was deleted before stays deleted, and the next call goes on.
pub fn reclaim(dir: &Path, wanted: &Reclaim<'_>) -> Result<Reclaimed, ReadError> {
    let mut done = Reclaimed::default();
    let segments = segment::list(dir)?;
    let mut bytes = Vec::with_capacity(segments.len());
    for listed in &segments {
        bytes.push(std::fs::metadata(&listed.path).map_err(failed("stat", &listed.path))?.len());
    }
    let mut bytes_left: u64 = bytes.iter().sum();
    let read_by_all = consumer::lowest(dir)?.unwrap_or(SeqNo(u64::MAX));
    for (pair, bytes) in segments.windows(2).zip(bytes) {
        let [old, next] = pair else { break };
        if next.first.0 > wanted.below.0.saturating_add(1) || !is_older(&old.path, wanted)? {
            break;
        }
        let is_held = next.first.0 > read_by_all.0.saturating_add(1);
        if is_held && bytes_left <= wanted.held_bytes_max {
            break;
        }
        if done.segment_count == 0 && OpenCalls::load(dir)?.through < wanted.open.through {
            wanted.open.store(dir)?;
        }
        std::fs::remove_file(&old.path).map_err(failed("delete", &old.path))?;
        // Each by itself: a crash must never bring back an older segment without the ones after it.
        File::open(dir).and_then(|dir| dir.sync_all()).map_err(failed("sync", dir))?;
        bytes_left -= bytes;
        done.segment_count += 1;
        done.bytes += bytes;
        done.overtaken_count += u64::from(is_held);
    }
    Ok(done)
}

/// Whether nobody has written to a segment for so long. A time that lies ahead means that the clock went back: the segment
/// stays, it costs only space.
fn is_older(path: &Path, wanted: &Reclaim<'_>) -> Result<bool, ReadError> {
    let written = std::fs::metadata(path).and_then(|metadata| metadata.modified()).map_err(failed("stat", path))?;
    let noted = UNIX_EPOCH + Duration::from_micros(wanted.rates_noted_us);
    Ok(SystemTime::now().duration_since(written).is_ok_and(|age| age >= wanted.keep) && written + RATES_SLACK <= noted)
}

fn failed<'a>(doing: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> ReadError + use<'a> {
    move |source| ReadError::Io { doing, path: path.to_owned(), source }
}
