//! What the fuzz targets ask of the small files beside the segments. The fuzzer guesses no CRC, so it is put there.

use super::consumer;
use super::marker::Marker;
use super::open_calls::OpenCalls;
use super::rates::RateNote;

/// Any bytes as each of them: is refused, or is exactly what it says.
pub fn notes(bytes: &[u8]) {
    if let Some(open) = OpenCalls::decode(bytes) {
        assert_eq!(open.encode(), bytes);
    }
    if let Some(rates) = RateNote::decode(bytes) {
        assert_eq!(rates.encode(), bytes);
    }
    let sealed = [bytes, &crc32fast::hash(bytes).to_le_bytes()].concat();
    if let Some(position) = consumer::decode(&sealed) {
        assert_eq!(consumer::decode(&consumer::encode(position)), Some(position));
    }
    if let Some(marker) = Marker::decode(&sealed) {
        assert_eq!(Marker::decode(&marker.encode()), Some(marker));
    }
}
