//! The kinds of columns: how each is written for binary COPY and read from a row, losslessly.

use std::borrow::Cow;
use std::marker::PhantomData;

use bytes::{BufMut, BytesMut};
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;
use wire::decision::{AuthMethod, Channel, EventKind, Layer, OutcomeStatus, Reason, Tier, Verdict};

/// Microseconds from 1970 to 2000, where PostgreSQL counts from.
const EPOCH_US: i64 = 946_684_800_000_000;
/// LIMIT: one day before the end of the year 9999, the last moment that every tool reads in every time zone. A clock
/// beyond it is wrong; its rows are kept there.
const AT_US_MAX: u64 = 253_402_207_200_000_000;

/// A row does not hold what was written.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The column is missing or has another type.
    #[error("audit row cannot be read")]
    Row(#[from] tokio_postgres::Error),
    /// The column holds what is never written to it.
    #[error("column `{0}` of an audit row holds what was never written there")]
    Altered(&'static str),
    /// The bytes of a COPY end in the middle of a row.
    #[error("audit row ends too early")]
    Torn,
    /// A kind that this version does not know.
    #[error("audit row has a kind that this version does not know")]
    Kind,
}

/// What a column can do.
pub(super) trait Column<'a>: Sized {
    const TYPE: Type;
    /// Appends length and value, or the length −1.
    fn put(&self, out: &mut BytesMut);
    fn get(row: &'a Row, name: &'static str) -> Result<Self, ReadError>;
    /// The same from the column's bytes; `None` is null.
    fn parse(bytes: Option<&'a [u8]>, name: &'static str) -> Result<Self, ReadError>;
}

/// The columns of one row of a binary COPY, one after the other.
/// Source: PostgreSQL manual, COPY, "Binary Format".
#[derive(Debug)]
pub struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// Of a row, after its count of columns.
    pub fn new(bytes: &'a [u8]) -> Fields<'a> {
        Fields(bytes)
    }

    /// The next column; `None` is null.
    ///
    /// # Errors
    /// [`ReadError::Torn`] when there is none.
    #[allow(clippy::should_implement_trait, reason = "an iterator would end where this is an error")]
    pub fn next(&mut self) -> Result<Option<&'a [u8]>, ReadError> {
        let (length, rest) = self.0.split_first_chunk().ok_or(ReadError::Torn)?;
        let length = i32::from_be_bytes(*length);
        if length == -1 {
            self.0 = rest;
            return Ok(None);
        }
        let length = usize::try_from(length).map_err(|_| ReadError::Torn)?;
        let (field, rest) = rest.split_at_checked(length).ok_or(ReadError::Torn)?;
        self.0 = rest;
        Ok(Some(field))
    }

    /// What follows.
    pub fn rest(&self) -> &'a [u8] {
        self.0
    }
}

/// A number of as many bytes.
fn number<const N: usize>(bytes: Option<&[u8]>, name: &'static str) -> Result<Option<[u8; N]>, ReadError> {
    bytes.map(|bytes| bytes.try_into().map_err(|_| ReadError::Altered(name))).transpose()
}

fn text<'a>(bytes: Option<&'a [u8]>, name: &'static str) -> Result<Option<&'a str>, ReadError> {
    bytes.map(|bytes| std::str::from_utf8(bytes).map_err(|_| ReadError::Altered(name))).transpose()
}

fn put_null(out: &mut BytesMut) {
    out.put_i32(-1);
}

fn put_bytes(out: &mut BytesMut, bytes: &[u8]) {
    out.put_i32(bytes.len() as i32);
    out.put_slice(bytes);
}

impl Column<'_> for i64 {
    const TYPE: Type = Type::INT8;
    fn put(&self, out: &mut BytesMut) {
        out.put_i32(8);
        out.put_i64(*self);
    }
    fn get(row: &Row, name: &'static str) -> Result<i64, ReadError> {
        Ok(row.try_get(name)?)
    }
    fn parse(bytes: Option<&[u8]>, name: &'static str) -> Result<i64, ReadError> {
        number(bytes, name)?.map(i64::from_be_bytes).ok_or(ReadError::Altered(name))
    }
}

impl Column<'_> for i32 {
    const TYPE: Type = Type::INT4;
    fn put(&self, out: &mut BytesMut) {
        out.put_i32(4);
        out.put_i32(*self);
    }
    fn get(row: &Row, name: &'static str) -> Result<i32, ReadError> {
        Ok(row.try_get(name)?)
    }
    fn parse(bytes: Option<&[u8]>, name: &'static str) -> Result<i32, ReadError> {
        number(bytes, name)?.map(i32::from_be_bytes).ok_or(ReadError::Altered(name))
    }
}

impl Column<'_> for Option<i32> {
    const TYPE: Type = Type::INT4;
    fn put(&self, out: &mut BytesMut) {
        match self {
            Some(number) => number.put(out),
            None => put_null(out),
        }
    }
    fn get(row: &Row, name: &'static str) -> Result<Option<i32>, ReadError> {
        Ok(row.try_get(name)?)
    }
    fn parse(bytes: Option<&[u8]>, name: &'static str) -> Result<Option<i32>, ReadError> {
        Ok(number(bytes, name)?.map(i32::from_be_bytes))
    }
}

impl Column<'_> for Option<i16> {
    const TYPE: Type = Type::INT2;
    fn put(&self, out: &mut BytesMut) {
        match self {
            Some(number) => {
                out.put_i32(2);
                out.put_i16(*number);
            }
            None => put_null(out),
        }
    }
    fn get(row: &Row, name: &'static str) -> Result<Option<i16>, ReadError> {
        Ok(row.try_get(name)?)
    }
    fn parse(bytes: Option<&[u8]>, name: &'static str) -> Result<Option<i16>, ReadError> {
        Ok(number(bytes, name)?.map(i16::from_be_bytes))
    }
}

/// A number without sign, in a `bigint` of the same bits: what exceeds 2^63 reads as negative in SQL and comes back whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unsigned(Option<u64>);

impl Unsigned {
    /// Present, and this much.
    pub fn of(number: impl Into<u64>) -> Unsigned {
        Unsigned(Some(number.into()))
    }

    /// The number, 0 where the column does not apply.
    pub fn get(self) -> u64 {
        self.0.unwrap_or(0)
    }
}

impl Column<'_> for Unsigned {
    const TYPE: Type = Type::INT8;
    fn put(&self, out: &mut BytesMut) {
        match self.0 {
            Some(number) => number.cast_signed().put(out),
            None => put_null(out),
        }
    }
    fn get(row: &Row, name: &'static str) -> Result<Unsigned, ReadError> {
        Ok(Unsigned(row.try_get::<_, Option<i64>>(name)?.map(i64::cast_unsigned)))
    }
    fn parse(bytes: Option<&[u8]>, name: &'static str) -> Result<Unsigned, ReadError> {
        Ok(Unsigned(number(bytes, name)?.map(u64::from_be_bytes)))
    }
}

/// A moment, in microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Micros(pub u64);

impl Micros {
    /// The moment as it stands in the table: what a broken clock says ends in the year 9999.
    pub fn stored(self) -> u64 {
        self.0.min(AT_US_MAX)
    }

    /// From PostgreSQL's count.
    fn from_stored(since_2000_us: i64) -> Option<Micros> {
        since_2000_us.checked_add(EPOCH_US).and_then(|us| u64::try_from(us).ok()).map(Micros)
    }
}

impl Column<'_> for Micros {
    const TYPE: Type = Type::TIMESTAMPTZ;
    fn put(&self, out: &mut BytesMut) {
        (self.stored().cast_signed() - EPOCH_US).put(out);
    }
    fn get(row: &Row, name: &'static str) -> Result<Micros, ReadError> {
        /// The eight bytes as they come.
        struct Raw(i64);
        impl tokio_postgres::types::FromSql<'_> for Raw {
            fn from_sql(_: &Type, raw: &[u8]) -> Result<Raw, Box<dyn std::error::Error + Sync + Send>> {
                Ok(Raw(i64::from_be_bytes(raw.try_into()?)))
            }
            tokio_postgres::types::accepts!(TIMESTAMPTZ);
        }
        Micros::from_stored(row.try_get::<_, Raw>(name)?.0).ok_or(ReadError::Altered(name))
    }
    fn parse(bytes: Option<&[u8]>, name: &'static str) -> Result<Micros, ReadError> {
        number(bytes, name)?.map(i64::from_be_bytes).and_then(Micros::from_stored).ok_or(ReadError::Altered(name))
    }
}

/// A trace or call id; zero is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Id(pub [u8; 16]);

impl Column<'_> for Id {
    const TYPE: Type = Type::UUID;
    fn put(&self, out: &mut BytesMut) {
        if self.0 == [0; 16] { put_null(out) } else { put_bytes(out, &self.0) }
    }
    fn get(row: &Row, name: &'static str) -> Result<Id, ReadError> {
        Ok(Id(row.try_get::<_, Option<Uuid>>(name)?.map(Uuid::into_bytes).unwrap_or_default()))
    }
    fn parse(bytes: Option<&[u8]>, name: &'static str) -> Result<Id, ReadError> {
        Ok(Id(number(bytes, name)?.unwrap_or_default()))
    }
}

/// A hash; zero is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Digest(pub [u8; 32]);

impl Column<'_> for Digest {
    const TYPE: Type = Type::BYTEA;
    fn put(&self, out: &mut BytesMut) {
        if self.0 == [0; 32] { put_null(out) } else { put_bytes(out, &self.0) }
    }
    fn get(row: &Row, name: &'static str) -> Result<Digest, ReadError> {
        Digest::parse(row.try_get::<_, Option<&[u8]>>(name)?, name)
    }
    fn parse(bytes: Option<&[u8]>, name: &'static str) -> Result<Digest, ReadError> {
        Ok(Digest(number(bytes, name)?.unwrap_or_default()))
    }
}

/// Marks in a stored text that the next digit stands for a character that cannot stand there. U+F8FF is for private use.
const ESCAPE: char = '\u{f8ff}';

/// A text; empty is absent. PostgreSQL keeps no NUL in a text, and a NUL can arrive in a JSON string: it is stored as
/// U+F8FF `0`, and U+F8FF itself as U+F8FF `1`.
#[derive(Debug, Clone, Eq, Default)]
pub struct Escaped<'a>(Cow<'a, str>);

impl PartialEq for Escaped<'_> {
    /// A row is compared with what was read from it: most texts are the same bytes at the same place.
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.as_str(), other.as_str()) || self.0 == other.0
    }
}

impl Escaped<'_> {
    /// The text as it was.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text as it stands in the table.
    pub fn stored(text: &str) -> Cow<'_, str> {
        // 0xEF begins U+F8FF; both are rare enough that one quick look saves the work.
        if !text.bytes().any(|byte| byte == 0 || byte == 0xEF) {
            return Cow::Borrowed(text);
        }
        let mut stored = String::with_capacity(text.len() + 16);
        for c in text.chars() {
            match c {
                '\0' => stored.extend([ESCAPE, '0']),
                ESCAPE => stored.extend([ESCAPE, '1']),
                c => stored.push(c),
            }
        }
        Cow::Owned(stored)
    }
}

impl<'a> From<&'a str> for Escaped<'a> {
    fn from(text: &'a str) -> Escaped<'a> {
        Escaped(Cow::Borrowed(text))
    }
}

impl<'a> Column<'a> for Escaped<'a> {
    const TYPE: Type = Type::TEXT;
    fn put(&self, out: &mut BytesMut) {
        if self.0.is_empty() { put_null(out) } else { put_bytes(out, Escaped::stored(&self.0).as_bytes()) }
    }
    fn get(row: &'a Row, name: &'static str) -> Result<Escaped<'a>, ReadError> {
        Escaped::from_stored(row.try_get(name)?, name)
    }
    fn parse(bytes: Option<&'a [u8]>, name: &'static str) -> Result<Escaped<'a>, ReadError> {
        Escaped::from_stored(text(bytes, name)?, name)
    }
}

impl<'a> Escaped<'a> {
    fn from_stored(stored: Option<&'a str>, name: &'static str) -> Result<Escaped<'a>, ReadError> {
        let Some(stored) = stored else { return Ok(Escaped::default()) };
        // 0xEF begins U+F8FF; it is rare enough that one quick look saves the search.
        if !stored.bytes().any(|byte| byte == 0xEF) || !stored.contains(ESCAPE) {
            return Ok(Escaped(Cow::Borrowed(stored)));
        }
        let mut text = String::with_capacity(stored.len());
        let mut chars = stored.chars();
        while let Some(c) = chars.next() {
            text.push(match c {
                ESCAPE => match chars.next() {
                    Some('0') => '\0',
                    Some('1') => ESCAPE,
                    _ => return Err(ReadError::Altered(name)),
                },
                c => c,
            });
        }
        Ok(Escaped(Cow::Owned(text)))
    }
}

/// A list of words with numbers.
pub(super) trait Vocabulary {
    fn word(code: u8) -> Option<&'static str>;
    fn code(word: &str) -> Option<u8>;
}

macro_rules! vocabularies {
    ($($name:ident)*) => {$(
        impl Vocabulary for $name {
            fn word(code: u8) -> Option<&'static str> {
                $name::from_code(code).map($name::as_str)
            }
            fn code(word: &str) -> Option<u8> {
                $name::from_word(word).map($name::code)
            }
        }
    )*};
}
vocabularies! { AuthMethod Channel EventKind Layer OutcomeStatus Reason Tier Verdict }

/// A code of a vocabulary, stored as its word; a code that has none as `#code`.
#[derive(Debug, PartialEq, Eq)]
pub struct Word<V> {
    code: Option<u8>,
    of: PhantomData<V>,
}

impl<V> Clone for Word<V> {
    fn clone(&self) -> Word<V> {
        *self
    }
}

impl<V> Copy for Word<V> {}

impl<V> Default for Word<V> {
    fn default() -> Word<V> {
        Word { code: None, of: PhantomData }
    }
}

impl<V> Word<V> {
    /// The word of a code.
    pub fn of(code: u8) -> Word<V> {
        Word { code: Some(code), of: PhantomData }
    }

    /// The code, if the column applies.
    pub fn code(self) -> Option<u8> {
        self.code
    }

    /// The code, 0 where the column does not apply.
    pub fn code_or_zero(self) -> u8 {
        self.code.unwrap_or(0)
    }
}

impl<V: Vocabulary> Column<'_> for Word<V> {
    const TYPE: Type = Type::TEXT;
    fn put(&self, out: &mut BytesMut) {
        let Some(code) = self.code else { return put_null(out) };
        match V::word(code) {
            Some(word) => put_bytes(out, word.as_bytes()),
            None => put_bytes(out, format!("#{code}").as_bytes()),
        }
    }
    fn get(row: &Row, name: &'static str) -> Result<Word<V>, ReadError> {
        word_of_stored(row.try_get(name)?, name)
    }
    fn parse(bytes: Option<&[u8]>, name: &'static str) -> Result<Word<V>, ReadError> {
        word_of_stored(text(bytes, name)?, name)
    }
}

fn word_of_stored<V: Vocabulary>(text: Option<&str>, name: &'static str) -> Result<Word<V>, ReadError> {
    let Some(text) = text else { return Ok(Word::default()) };
    let code = match text.strip_prefix('#') {
        Some(number) => number.parse().ok().filter(|code| V::word(*code).is_none()),
        None => V::code(text),
    };
    code.map(Word::of).ok_or(ReadError::Altered(name))
}
