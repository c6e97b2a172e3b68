//! CSV (RFC 4180): a header and one row per event.

use std::io::{Error, Result, Write};

use crate::logs::event::{AuditEvent, COLUMNS, Cell};

/// Writes rows.
pub(super) struct Csv<W: Write> {
    writer: csv::Writer<W>,
}

impl<W: Write> Csv<W> {
    /// Writes the header.
    pub(super) fn new(out: W) -> Result<Csv<W>> {
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(COLUMNS.iter().map(|(name, _)| *name)).map_err(Error::other)?;
        Ok(Csv { writer })
    }

    pub(super) fn write(&mut self, events: &[AuditEvent]) -> Result<()> {
        for event in events {
            for cell in event.cells() {
                let text = match cell {
                    Cell::Absent => String::new(),
                    Cell::Text(text) => text.to_owned(),
                    Cell::Words(words) => words.join(" "),
                    Cell::Number(number) => number.to_string(),
                    Cell::Time(at) => at.to_string(),
                };
                self.writer.write_field(text).map_err(broken)?;
            }
            self.writer.write_record(None::<&[u8]>).map_err(broken)?;
        }
        self.writer.flush()
    }

    pub(super) fn finish(mut self) -> Result<()> {
        self.writer.flush()
    }
}

/// The error below, so that a reader who has seen enough is recognised.
fn broken(error: csv::Error) -> Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => Error::other(format!("{other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever stands in an event, a reader of CSV finds it as it was.
        #[test]
        fn every_text_reads_back(user in any::<String>(), detail in any::<String>(), roles in proptest::collection::vec("[a-z]{1,5}", 0..4)) {
            let event = AuditEvent { user: Some(user.clone()), detail: Some(detail.clone()), roles: roles.clone(), ..AuditEvent::default() };
            let mut out = Vec::new();
            let mut writer = Csv::new(&mut out).unwrap();
            writer.write(&[event.clone(), event]).unwrap();
            writer.finish().unwrap();
            let mut reader = csv::Reader::from_reader(out.as_slice());
            let place = |name: &str| COLUMNS.iter().position(|(column, _)| *column == name).unwrap();
            let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.unwrap()).collect();
            prop_assert_eq!(rows.len(), 2);
            for row in rows {
                prop_assert_eq!(row.len(), COLUMNS.len());
                prop_assert_eq!(&row[place("user")], user.as_str());
                prop_assert_eq!(&row[place("detail")], detail.as_str());
                prop_assert_eq!(&row[place("roles")], roles.join(" "));
            }
        }
    }
}
