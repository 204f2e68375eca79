//! Numbered lines of bounded length from an untrusted file.

use std::io::{self, BufRead, Read as _};

/// The longest accepted line in bytes: the largest answer and what surrounds it.
const LONGEST_LINE: usize = 32 << 20;

/// A line, or why it cannot be read.
pub(super) type Line = Result<String, &'static str>;

/// The lines of a text, numbered from 1.
pub(super) struct Lines<R> {
    input: R,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, number: 0 }
    }

    fn read(&mut self) -> io::Result<Option<Line>> {
        let mut bytes = Vec::new();
        let most = u64::try_from(LONGEST_LINE).unwrap_or(u64::MAX);
        if self.input.by_ref().take(most).read_until(b'\n', &mut bytes)? == 0 {
            return Ok(None);
        }
        if bytes.len() >= LONGEST_LINE && bytes.last() != Some(&b'\n') {
            self.input.skip_until(b'\n')?;
            return Ok(Some(Err("the line is longer than 32 MiB")));
        }
        Ok(Some(String::from_utf8(bytes).map_err(|_| "the line is not UTF-8 text")))
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = io::Result<(u64, Line)>;

    fn next(&mut self) -> Option<Self::Item> {
        let line = self.read().transpose()?;
        self.number += 1;
        let number = self.number;
        Some(line.map(|line| {
            // Windows programs start a file with a byte order mark.
            let clean = |text: String| match text.strip_prefix('\u{feff}') {
                Some(rest) if number == 1 => rest.to_owned(),
                _ => text,
            };
            (number, line.map(clean))
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(bytes: &[u8]) -> Vec<(u64, Line)> {
        Lines::new(bytes).map(|line| line.unwrap()).collect()
    }

    #[test]
    fn lines_are_numbered_without_byte_order_mark() {
        let read = lines("\u{feff}a\r\n\nb".as_bytes());
        let expected = [(1, Ok("a\r\n".to_owned())), (2, Ok("\n".into())), (3, Ok("b".into()))];
        assert_eq!(read, expected);
    }

    #[test]
    fn invalid_line_does_not_stop_reading() {
        let mut bytes = b"\xff\xfe\n".to_vec();
        bytes.extend(vec![b'x'; LONGEST_LINE + 10]);
        bytes.extend(b"\nlast\n");
        let read = lines(&bytes);
        assert_eq!(read[0], (1, Err("the line is not UTF-8 text")));
        assert_eq!(read[1], (2, Err("the line is longer than 32 MiB")));
        assert_eq!(read[2], (3, Ok("last\n".to_owned())));
    }
}
