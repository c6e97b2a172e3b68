//! Lines of a child's output, never longer than allowed, and safe to wait for in a `select!`.

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

/// LIMIT: capacity kept between lines; what one long line needed is given back.
const KEPT_BYTES: usize = 64 << 10;

/// Reads newline-terminated text piece by piece.
#[derive(Debug)]
pub(super) struct Lines<R> {
    reader: R,
    buffer: BytesMut,
    searched: usize,
    bytes_max: usize,
}

/// Why there is no next line.
#[derive(Debug, thiserror::Error)]
pub(super) enum LineError {
    #[error("a line of more than {0} bytes")]
    TooLong(usize),
    #[error("cannot read its output")]
    Io(#[from] std::io::Error),
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(super) fn new(reader: R, bytes_max: usize) -> Self {
        Self { reader, buffer: BytesMut::new(), searched: 0, bytes_max }
    }

    /// The next line without its end, or `None` at the end of the output. Nothing is lost when the future is dropped.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, LineError> {
        loop {
            let unsearched = self.buffer.get(self.searched..).unwrap_or_default();
            if let Some(at) = unsearched.iter().position(|&byte| byte == b'\n') {
                let mut line = self.buffer.split_to(self.searched + at + 1);
                self.searched = 0;
                line.truncate(line.len() - 1);
                if line.last() == Some(&b'\r') {
                    line.truncate(line.len() - 1);
                }
                if line.len() > self.bytes_max {
                    return Err(LineError::TooLong(self.bytes_max));
                }
                return Ok(Some(line.freeze()));
            }
            self.searched = self.buffer.len();
            if self.searched > self.bytes_max {
                return Err(LineError::TooLong(self.bytes_max));
            }
            if self.buffer.is_empty() && self.buffer.capacity() > KEPT_BYTES {
                self.buffer = BytesMut::new();
            }
            self.buffer.reserve(8 << 10);
            if self.reader.read_buf(&mut self.buffer).await? == 0 {
                self.searched = 0;
                return Ok((!self.buffer.is_empty()).then(|| self.buffer.split().freeze()));
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed read is a failed test")]
mod tests {
    use super::*;

    async fn check(input: &[u8], piece: usize, max: usize) -> Vec<Result<String, String>> {
        let mut builder = tokio_test_reader(input, piece);
        let mut lines = Lines::new(&mut builder, max);
        let mut seen = Vec::new();
        loop {
            match lines.next().await {
                Ok(Some(line)) => seen.push(Ok(String::from_utf8(line.to_vec()).unwrap())),
                Ok(None) => return seen,
                Err(error) => {
                    seen.push(Err(error.to_string()));
                    return seen;
                }
            }
        }
    }

    /// Hands out the input in pieces of one size.
    fn tokio_test_reader(input: &[u8], piece: usize) -> impl AsyncRead + Unpin + use<> {
        let (mut near, far) = tokio::io::duplex(piece);
        let input = input.to_vec();
        tokio::spawn(async move {
            use tokio::io::AsyncWriteExt;
            drop(near.write_all(&input).await);
        });
        far
    }

    #[tokio::test]
    async fn lines_are_cut_and_bounded() {
        for piece in [1, 3, 1000] {
            for (input, expect) in [
                ("a\nbc\r\n\nd", vec![Ok("a"), Ok("bc"), Ok(""), Ok("d")]),
                ("", vec![]),
                ("\n", vec![Ok("")]),
                ("12345678\n", vec![Ok("12345678")]),
                ("ok\n123456789\n", vec![Ok("ok"), Err("a line of more than 8 bytes")]),
                ("123456789012345678901234567890", vec![Err("a line of more than 8 bytes")]),
            ] {
                let seen = check(input.as_bytes(), piece, 8).await;
                let expect: Vec<_> = expect.into_iter().map(|r| r.map(str::to_owned).map_err(str::to_owned)).collect();
                assert_eq!(seen, expect, "{input:?} in pieces of {piece}");
            }
        }
    }
}
