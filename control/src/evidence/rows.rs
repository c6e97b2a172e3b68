//! The rows of one stream as they come from a binary COPY, in the order of their numbers, each looked at once where it lies.

use std::pin::pin;

use bytes::Bytes;
use futures_util::StreamExt as _;
use schema::audit::{AuditRow, COLUMN_LIST, COPY_HEADER, Fields, ReadError};
use tokio_postgres::Transaction;

use crate::postgres::PostgresError;

/// A row of a COPY: its number, and the row if it can be read.
pub struct Seen<'a> {
    /// Its place; 0 where even that cannot be read.
    pub seq: i64,
    /// The row.
    pub row: Result<AuditRow<'a>, ReadError>,
}

/// Shows every row of stream `id` with a number above `after` and up to `through` to `look`, in order. Memory: one message of
/// the server.
///
/// # Errors
/// The server fails, or does not speak COPY.
pub async fn for_each(
    transaction: &Transaction<'_>,
    id: i32,
    after: i64,
    through: i64,
    mut look: impl FnMut(Seen<'_>),
) -> Result<u64, PostgresError> {
    let failed = || PostgresError::query("read audit rows");
    // Numbers, so nothing here needs quoting; COPY takes no parameters.
    let statement = format!(
        "COPY (SELECT {COLUMN_LIST} FROM audit_event WHERE stream_id = {id} AND seq > {after} AND seq <= {through} \
         ORDER BY seq, at) TO STDOUT (FORMAT binary)"
    );
    let mut messages = pin!(transaction.copy_out(&statement).await.map_err(failed())?);
    let mut begun = false;
    let mut count = 0;
    while let Some(message) = messages.next().await {
        let message: Bytes = message.map_err(failed())?;
        let mut rest = &message[..];
        if !begun {
            rest = rest.strip_prefix(COPY_HEADER).ok_or(PostgresError::Copy)?;
            begun = true;
        }
        while !rest.is_empty() {
            let (columns, fields) = rest.split_first_chunk().ok_or(PostgresError::Copy)?;
            if i16::from_be_bytes(*columns) == -1 {
                break;
            }
            let seq = place(fields);
            let mut read = Fields::new(fields);
            let row = AuditRow::parse(&mut read);
            rest = match &row {
                Ok(_) => read.rest(),
                Err(_) => skip(fields)?,
            };
            count += 1;
            look(Seen { seq, row });
        }
    }
    Ok(count)
}

/// The second column: the row's number.
fn place(fields: &[u8]) -> i64 {
    let mut fields = Fields::new(fields);
    let seq = fields.next().and_then(|_| fields.next());
    seq.ok().flatten().and_then(|bytes| bytes.try_into().ok()).map_or(0, i64::from_be_bytes)
}

/// What follows a row that cannot be read.
fn skip(fields: &[u8]) -> Result<&[u8], PostgresError> {
    let mut fields = Fields::new(fields);
    for _ in AuditRow::COLUMNS {
        fields.next().map_err(|_| PostgresError::Copy)?;
    }
    Ok(fields.rest())
}
