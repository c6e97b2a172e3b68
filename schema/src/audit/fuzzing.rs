//! What the fuzz target of rows asks: nothing is lost between a record and its row, nor between a row and its bytes.

use super::examples::records;
use super::*;

/// Records of any texts and numbers: each comes back from the bytes of its row, as the bytes that were hashed.
pub fn record(texts: &[String; 21], numbers: &[u64; 14]) {
    for record in records(texts, numbers) {
        let row = AuditRow::new(7, SeqNo(numbers[0]), Chain([9; 32]), &record);
        let copied = copied(&row);
        let read = parsed(&copied);
        assert!(
            read.as_ref().is_some_and(|read| read.is_of(&record) && read.record().is_ok_and(|back| back == record)),
            "{record:?}"
        );
    }
}

/// Any bytes as a row that the database gave: refused, or what it says can be written and reads as the same again.
pub fn row(bytes: &[u8]) {
    if let Some(row) = parsed(bytes) {
        let written = copied(&row);
        assert!(parsed(&written).is_some_and(|again| copied(&again) == written), "{row:?}");
        drop(row.record());
    }
}

/// The row's bytes without its count of columns.
fn copied(row: &AuditRow<'_>) -> BytesMut {
    let mut out = BytesMut::new();
    row.put(&mut out);
    out.split_off(2)
}

fn parsed(bytes: &[u8]) -> Option<AuditRow<'_>> {
    let mut fields = Fields::new(bytes);
    AuditRow::parse(&mut fields).ok().filter(|_| fields.rest().is_empty())
}
