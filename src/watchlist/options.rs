//! How lists are written, and how they are read.

use crate::model::Kind;

/// Maximum length of a line, or of a row of a table, in bytes: share text is a few hundred.
pub(super) const LONGEST_LINE: usize = 64 << 10;

/// Format of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One id, link, share text or keyword per line; `#` starts a comment, for keywords `# `.
    Lines,
    /// Comma-separated values with a header.
    Csv,
    /// One JSON object per line.
    Jsonl,
}

/// How to read lists.
#[derive(Clone, Debug, Default)]
pub struct ListOptions {
    /// Kind of the entries; `None`: detected per entry.
    pub kind: Option<Kind>,
    /// Format; `None`: detected by file name and first line.
    pub format: Option<Format>,
    /// Column or key with the target; `None`: a recognised one.
    pub column: Option<String>,
}
