//! Looking into a journal that nobody may be running on: what its files say, without changing a byte of them.
//!
//! *Lives on* any thread; blocking reads.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Value, json};
use wire::decision::{EventKind, Verdict};
use wire::frame::{Frame, HEADER_BYTES, Header};
use wire::ids::SeqNo;
use wire::record::Record;

use super::marker::Marker;
use super::open_calls::OpenCalls;
use super::segment::{self, Listed, Next, SegmentReader};
use super::{ReadError, consumer};

/// One stream, as its files say.
#[derive(Debug, Clone, Serialize)]
pub struct Stream {
    /// Its directory.
    pub dir: PathBuf,
    /// Whose, as the oldest segment says.
    pub node: Option<String>,
    /// Which shard's, as the directory says.
    pub shard: u16,
    /// The segments, oldest first.
    pub segments: Vec<Segment>,
    /// What is known to be synced.
    pub synced: Option<u64>,
    /// Who else reads it, and how far.
    pub consumers: Vec<(String, u64)>,
    /// Calls noted as open.
    pub open_calls: usize,
    /// Up to which record that note speaks.
    pub open_through: u64,
    /// The newest records, in order.
    pub records: Vec<Value>,
    /// What a start would refuse, if anything. A torn end of the newest segment is none: a start cuts it off.
    pub damage: Option<String>,
}

/// One segment.
#[derive(Debug, Clone, Serialize)]
pub struct Segment {
    /// Where it lies.
    pub path: PathBuf,
    /// Its first record.
    pub first: u64,
    /// Its last whole record.
    pub last: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// Bytes behind the last frame that counts.
    pub tail_bytes: u64,
}

/// Looks at a journal directory, or at the directory of one stream, and takes the last `record_count` records of each stream.
///
/// # Errors
/// A directory or file cannot be read. What is wrong in them stands in [`Stream::damage`].
pub fn inspect(dir: &Path, record_count: usize) -> Result<Vec<Stream>, ReadError> {
    let mut streams = segment::streams(dir)?;
    if streams.is_empty()
        && let Some(shard) = dir.file_name().and_then(|name| name.to_str()?.strip_prefix("shard-")?.parse().ok())
    {
        streams.push((shard, dir.to_owned()));
    }
    streams.into_iter().map(|(shard, dir)| look(shard, dir, record_count)).collect()
}

fn look(shard: u16, dir: PathBuf, record_count: usize) -> Result<Stream, ReadError> {
    let marker = Marker::load(&dir);
    let listed = segment::list(&dir)?;
    let mut stream = Stream {
        node: None,
        shard,
        segments: Vec::new(),
        synced: marker.map(|marker| marker.synced.0),
        consumers: Vec::new(),
        open_calls: 0,
        open_through: 0,
        records: Vec::new(),
        damage: None,
        dir,
    };
    for mark in consumer::marks(&stream.dir)? {
        stream.consumers.extend(mark.committed.map(|position| (mark.name, position.seq.0)));
    }
    match OpenCalls::load(&stream.dir) {
        Ok(open) => (stream.open_calls, stream.open_through) = (open.calls.len(), open.through.0),
        Err(error) => stream.damage = Some(error.to_string()),
    }
    let mut last = None;
    for (at, this) in listed.iter().enumerate() {
        let next = listed.get(at + 1).map(|next| next.first);
        match walk(this, shard, next, last, record_count, &mut stream) {
            Ok(through) => last = Some(through),
            Err(ReadError::Damaged { segment, offset, why }) => {
                stream.damage = Some(format!("`{}` at byte {offset}: {why}", segment.display()));
                break;
            }
            Err(error) => return Err(error),
        }
    }
    if let (Some(marker), None) = (marker, &stream.damage) {
        let last = stream.segments.last().map_or(0, |segment| segment.last);
        if marker.synced.0 > last {
            stream.damage = Some(format!("record {} was synced and the segments end with {last}", marker.synced.0));
        }
    }
    Ok(stream)
}

/// Walks one segment and returns its last record.
fn walk(
    listed: &Listed,
    shard: u16,
    next: Option<SeqNo>,
    before: Option<SeqNo>,
    record_count: usize,
    stream: &mut Stream,
) -> Result<SeqNo, ReadError> {
    let io = |doing| move |source| ReadError::Io { doing, path: listed.path.clone(), source };
    let bytes = std::fs::metadata(&listed.path).map_err(io("stat"))?.len();
    // The node is not known here: the segment says it.
    let mut head = Vec::new();
    let file = std::fs::File::open(&listed.path).map_err(io("open"))?;
    file.take(HEADER_BYTES as u64).read_to_end(&mut head).map_err(io("read"))?;
    let damaged = |why: String| ReadError::Damaged { segment: listed.path.clone(), offset: 0, why };
    let header = Header::decode(&head).map_err(|error| damaged(error.to_string()))?;
    stream.node.get_or_insert_with(|| header.node.to_string());
    let mut reader = SegmentReader::open(listed, header.node, shard)?;
    if before.is_some_and(|before| before.0 + 1 != listed.first.0) {
        return Err(damaged("it does not follow the segment before it".to_owned()));
    }
    let wanted = next.map(|next| SeqNo(next.0 - 1));
    while wanted.is_none_or(|wanted| reader.position().seq < wanted) {
        match reader.next_frame()? {
            Next::Frame(frame) => {
                if record_count > 0 {
                    let shown = show(&frame);
                    if stream.records.len() == record_count {
                        stream.records.remove(0);
                    }
                    stream.records.push(shown);
                }
            }
            Next::End | Next::Bad(_) if wanted.is_none() => break,
            Next::End => return Err(reader.damaged("it ends before the next segment begins")),
            Next::Bad(why) => return Err(reader.damaged(why)),
        }
    }
    let last = reader.position().seq;
    stream.segments.push(Segment {
        path: listed.path.clone(),
        first: listed.first.0,
        last: last.0,
        bytes,
        tail_bytes: bytes.saturating_sub(reader.offset()),
    });
    Ok(last)
}

/// What a person looks for in a record.
fn show(frame: &Frame<'_>) -> Value {
    let kind = EventKind::from_code(frame.kind).map_or("unknown", EventKind::as_str);
    let id = |bytes: [u8; 16]| format!("{:032x}", u128::from_be_bytes(bytes));
    let verdict = |code| Verdict::from_code(code).map_or("unknown", Verdict::as_str);
    let mut shown = match Record::decode(frame.kind, frame.record) {
        Ok(Record::Decision(d)) => json!({
            "at_us": d.at_us, "trace": id(d.trace), "call": id(d.call), "user": d.identity.user, "agent": d.agent.agent,
            "server": d.server, "tool": d.tool, "method": d.method, "verdict": verdict(d.verdict), "rule": d.rule,
        }),
        Ok(Record::Outcome(o)) => json!({
            "at_us": o.at_us, "trace": id(o.trace), "call": id(o.call), "decision_seq": o.decision_seq, "status": o.status,
            "duration_us": o.duration_us, "error": o.error,
        }),
        Ok(Record::Notice(_, n)) => json!({
            "at_us": n.at_us, "trace": id(n.trace), "user": n.identity.user, "verdict": verdict(n.verdict), "action": n.action,
            "subject": n.subject,
        }),
        Err(error) => json!({ "error": error.to_string() }),
    };
    shown["seq"] = frame.seq.0.into();
    shown["kind"] = kind.into();
    shown["chain"] = format!("{:?}", frame.chain).into();
    shown
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{Build, SHARD, allowed};
    use super::*;

    #[test]
    fn a_journal_is_shown_and_left_as_it_is() {
        let tmp = tempfile::tempdir().unwrap();
        let mut build = Build::new(tmp.path());
        build.fill(4).rotate().fill(2);
        build.append(&allowed(9), &[]);
        build.litter(&[1, 2, 3]);
        let before = std::fs::read(build.path()).unwrap();
        for dir in [tmp.path(), &build.dir] {
            let [stream] = &inspect(dir, 2).unwrap()[..] else { panic!("one stream") };
            assert_eq!((stream.shard, &stream.damage), (SHARD, &None));
            let segments: Vec<_> = stream.segments.iter().map(|s| (s.first, s.last, s.tail_bytes)).collect();
            assert_eq!(segments, [(1, 4, 0), (5, 7, 3)]);
            assert_eq!(stream.records.iter().map(|record| record["seq"].clone()).collect::<Vec<_>>(), [6, 7]);
            assert_eq!(stream.records[1]["tool"], "read_text_file");
        }
        assert_eq!(std::fs::read(build.path()).unwrap(), before);

        // Damage in the middle is named.
        let first = segment::segment_path(&build.dir, SeqNo(1));
        let mut bytes = std::fs::read(&first).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&first, bytes).unwrap();
        let [stream] = &inspect(tmp.path(), 0).unwrap()[..] else { panic!("one stream") };
        assert!(stream.damage.as_ref().unwrap().contains("00000000000000000001.seg"), "{stream:?}");
    }
}
