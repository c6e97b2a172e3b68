//! How far a sink has come: a small file, replaced whole. An older one than the truth means that events are sent twice,
//! never that one is left out.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use dataplane::journal::StreamPosition;
use serde::{Deserialize, Serialize};
use wire::frame::Chain;
use wire::ids::SeqNo;

use crate::disk;

/// How far a sink has come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Watermark {
    /// By shard.
    pub(super) streams: BTreeMap<u16, Place>,
    pub(super) delivered: u64,
    pub(super) refused: u64,
    pub(super) lost: u64,
}

/// The last record of a stream that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    seq: u64,
    chain: [u8; 32],
}

impl From<StreamPosition> for Place {
    fn from(position: StreamPosition) -> Place {
        Place { seq: position.seq.0, chain: position.chain.0 }
    }
}

impl From<Place> for StreamPosition {
    fn from(place: Place) -> StreamPosition {
        StreamPosition { seq: SeqNo(place.seq), chain: Chain(place.chain) }
    }
}

impl Watermark {
    /// `None` where there is none yet.
    pub(super) fn load(path: &Path) -> io::Result<Option<Watermark>> {
        match std::fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| {
                io::Error::new(io::ErrorKind::InvalidData, format!("`{}` is not a watermark: {error}; delete it", path.display()))
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// On the disk when it returns.
    pub(super) fn save(&self, path: &Path) -> io::Result<()> {
        disk::private_folder(path.parent().unwrap_or(Path::new(".")))?;
        disk::replace(path, &serde_json::to_vec(self)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watermark_reads_back_and_a_damaged_one_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sinks/a.json");
        assert_eq!(Watermark::load(&path).unwrap(), None);
        let position = StreamPosition { seq: SeqNo(7), chain: Chain([9; 32]) };
        let mut watermark = Watermark { delivered: 5, ..Watermark::default() };
        watermark.streams.insert(3, position.into());
        watermark.save(&path).unwrap();
        assert_eq!(Watermark::load(&path).unwrap(), Some(watermark));
        std::fs::write(&path, "{").unwrap();
        assert!(Watermark::load(&path).unwrap_err().to_string().contains("delete it"));
    }
}
