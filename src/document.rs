//! The text of an answer, parsed once.

use serde_json_borrow::Value;

/// A JSON text and its tree, which borrows from the text.
pub struct JsonText<'a> {
    text: &'a str,
    tree: Option<Value<'a>>,
}

impl<'a> JsonText<'a> {
    /// Parses a text. There is no tree if the text is not JSON, nests deeper than 128 levels, or has a
    /// number out of range.
    pub fn of(text: &'a str) -> Self {
        Self { text, tree: serde_json::from_str(text).ok() }
    }

    /// The text.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// The tree.
    pub(crate) fn tree(&self) -> Option<&Value<'a>> {
        self.tree.as_ref()
    }

    /// Whether no object of the tree repeats a key.
    pub(crate) fn has_unique_keys(&self) -> bool {
        self.tree.as_ref().is_none_or(unique_keys)
    }
}

fn unique_keys(value: &Value<'_>) -> bool {
    match value {
        Value::Array(items) => items.iter().all(unique_keys),
        Value::Object(fields) => {
            // Objects are small: sorting is cheaper than hashing.
            let mut keys: Vec<&str> = fields.iter().map(|(key, _)| key).collect();
            keys.sort_unstable();
            keys.windows(2).all(|pair| pair[0] != pair[1])
                && fields.iter().all(|(_, value)| unique_keys(value))
        }
        _ => true,
    }
}
