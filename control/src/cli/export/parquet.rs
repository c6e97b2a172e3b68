//! Apache Parquet: one row group per some pages, columns compressed with Snappy. Times are UTC microseconds.

use std::io::{Error, Result, Write};
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use crate::logs::event::{AuditEvent, COLUMNS, Cell, CellKind};

/// LIMIT: events that wait in memory for their row group; some tens of megabytes.
const GROUP_EVENTS: usize = 20_000;

/// Writes row groups.
pub(super) struct Parquet<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    waiting: Vec<AuditEvent>,
}

impl<W: Write + Send> Parquet<W> {
    /// Begins a file.
    pub(super) fn new(out: W) -> Result<Parquet<W>> {
        let columns = COLUMNS.iter().map(|(name, kind)| {
            let kind = match kind {
                CellKind::Text => "binary {name} (UTF8)",
                CellKind::Number => "int64 {name}",
                CellKind::Time => "int64 {name} (TIMESTAMP(MICROS,true))",
            };
            format!("optional {};", kind.replace("{name}", name))
        });
        let schema = format!("message audit_event {{ {} }}", columns.collect::<Vec<_>>().join(" "));
        let schema = Arc::new(parse_message_type(&schema).map_err(broken)?);
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let writer = SerializedFileWriter::new(out, schema, Arc::new(properties)).map_err(broken)?;
        Ok(Parquet { writer, waiting: Vec::new() })
    }

    pub(super) fn write(&mut self, events: &[AuditEvent]) -> Result<()> {
        self.waiting.extend_from_slice(events);
        if self.waiting.len() >= GROUP_EVENTS { self.write_group() } else { Ok(()) }
    }

    pub(super) fn finish(mut self) -> Result<()> {
        self.write_group()?;
        self.writer.close().map_err(broken)?;
        Ok(())
    }

    fn write_group(&mut self) -> Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let rows: Vec<Vec<Cell<'_>>> = self.waiting.iter().map(|event| event.cells().collect()).collect();
        let mut group = self.writer.next_row_group().map_err(broken)?;
        for (place, (_, kind)) in COLUMNS.iter().enumerate() {
            let Some(mut column) = group.next_column().map_err(broken)? else {
                return Err(Error::other("the file has fewer columns than an event"));
            };
            let cells = rows.iter().map(|row| row.get(place).copied().unwrap_or(Cell::Absent));
            let levels: Vec<i16> = cells.clone().map(|cell| i16::from(cell != Cell::Absent)).collect();
            match kind {
                CellKind::Text => {
                    let values: Vec<ByteArray> = cells.filter_map(text).collect();
                    column.typed::<ByteArrayType>().write_batch(&values, Some(&levels), None).map_err(broken)?;
                }
                CellKind::Number | CellKind::Time => {
                    let values: Vec<i64> = cells.filter_map(number).collect();
                    column.typed::<Int64Type>().write_batch(&values, Some(&levels), None).map_err(broken)?;
                }
            }
            column.close().map_err(broken)?;
        }
        group.close().map_err(broken)?;
        self.waiting.clear();
        Ok(())
    }
}

fn text(cell: Cell<'_>) -> Option<ByteArray> {
    match cell {
        Cell::Text(text) => Some(ByteArray::from(text.as_bytes().to_vec())),
        Cell::Words(words) => Some(ByteArray::from(words.join(" ").into_bytes())),
        Cell::Absent | Cell::Number(_) | Cell::Time(_) => None,
    }
}

fn number(cell: Cell<'_>) -> Option<i64> {
    match cell {
        Cell::Number(number) => Some(number),
        Cell::Time(at) => Some(at.as_microsecond()),
        Cell::Absent | Cell::Text(_) | Cell::Words(_) => None,
    }
}

/// The error below, so that a reader who has seen enough is recognised.
fn broken(error: ParquetError) -> Error {
    match error {
        ParquetError::External(error) => match error.downcast::<Error>() {
            Ok(error) => *error,
            Err(error) => Error::other(error),
        },
        other => Error::other(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;

    #[test]
    fn a_file_reads_back() {
        let at = jiff::Timestamp::from_microsecond(1_772_668_799_900_001).unwrap();
        let events: Vec<AuditEvent> = (0..GROUP_EVENTS as i64 + 5)
            .map(|seq| AuditEvent {
                id: format!("n-0-{seq}"),
                at,
                seq,
                user: (seq % 2 == 0).then(|| format!("user{seq}")),
                roles: vec!["a".into(), "b".into()],
                ..AuditEvent::default()
            })
            .collect();
        let mut out = Vec::new();
        let mut writer = Parquet::new(&mut out).unwrap();
        events.chunks(5_000).for_each(|page| writer.write(page).unwrap());
        writer.finish().unwrap();
        let reader = SerializedFileReader::new(bytes::Bytes::from(out)).unwrap();
        assert_eq!(reader.metadata().file_metadata().num_rows(), events.len() as i64);
        assert_eq!(reader.num_row_groups(), 2);
        for (row, event) in reader.get_row_iter(None).unwrap().zip(&events) {
            let row = row.unwrap();
            let field = |name: &str| row.get_column_iter().find(|(column, _)| *column == name).unwrap().1.clone();
            assert_eq!(field("id"), Field::Str(event.id.clone()));
            assert_eq!(field("seq"), Field::Long(event.seq));
            assert_eq!(field("at"), Field::TimestampMicros(at.as_microsecond()));
            assert_eq!(field("user"), event.user.clone().map_or(Field::Null, Field::Str));
            assert_eq!(field("roles"), Field::Str("a b".to_owned()));
            assert_eq!(row.get_column_iter().count(), COLUMNS.len());
        }
    }
}
