//! Mentions of those who are forgotten in the texts of others.

use serde_json::Value;

/// What the endpoints call the name of somebody.
const NAMES: [&str; 4] = ["nickname", "nickName", "nick_name", "name"];

/// From here on Unicode has the pictures that people put into their names.
const FIRST_EMOJI: char = '\u{1f000}';

/// By what names an answer mentions people.
pub(super) struct Names<'a> {
    /// The forgotten, longer names before shorter ones.
    forgotten: &'a [String],
    /// Others whose names begin with one of these.
    others: Vec<String>,
}

impl<'a> Names<'a> {
    /// Of an answer that mentions these; `None` when it cannot be read.
    pub(super) fn of(forgotten: &'a [String], json: &str) -> Option<Self> {
        let nobody = forgotten.is_empty();
        let others = if nobody { Vec::new() } else { longer_names(json, forgotten)? };
        Some(Self { forgotten, others })
    }

    /// Whether nobody is mentioned who is forgotten.
    pub(super) fn is_empty(&self) -> bool {
        self.forgotten.is_empty()
    }

    /// A text with stars for the forgotten where they are mentioned.
    pub(super) fn masked(&self, text: &str) -> String {
        let mut masked = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('@') {
            masked.push_str(before);
            masked.push('@');
            let name = self.forgotten.iter().find(|name| self.is_mentioned(name, after));
            masked.push_str(&name.map(|name| stars(name)).unwrap_or_default());
            rest = name.and_then(|name| after.strip_prefix(&**name)).unwrap_or(after);
        }
        masked + rest
    }

    /// Whether what stands behind an `@` begins with this name, and with no longer one.
    fn is_mentioned(&self, name: &str, after: &str) -> bool {
        // The apps put a space behind a mention; what goes on without one is another's name.
        let goes_on = |c: char| c.is_alphanumeric() || c == '_' || c >= FIRST_EMOJI;
        let is_other = |other: &String| other.starts_with(name) && after.starts_with(&**other);
        after.strip_prefix(name).is_some_and(|rest| !rest.starts_with(goes_on))
            && !self.others.iter().any(is_other)
    }
}

/// The names in an answer that go on where one of these ends.
fn longer_names(json: &str, names: &[String]) -> Option<Vec<String>> {
    let (mut left, mut found) = (vec![serde_json::from_str(json).ok()?], Vec::new());
    while let Some(value) = left.pop() {
        match value {
            Value::Array(items) => left.extend(items),
            Value::Object(fields) => {
                for (key, value) in fields {
                    match value {
                        Value::String(text) if NAMES.contains(&&*key) => found.push(text),
                        value => left.push(value),
                    }
                }
            }
            _ => {}
        }
    }
    let is_longer =
        |text: &String, name: &String| text.len() > name.len() && text.starts_with(name);
    found.retain(|text| names.iter().any(|name| is_longer(text, name)) && !names.contains(text));
    Some(found)
}

/// As many stars as a name has units of UTF-16, by which the platforms count the letters of a text.
fn stars(name: &str) -> String {
    "*".repeat(name.encode_utf16().count())
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn a_longer_name_is_somebody_elses() {
        let forgotten = ["小满".to_owned()];
        let json = r#"{"ats":[{"nickname":"小满（北京）"},{"id":1,"nickname":"小满"}]}"#;
        let names = Names::of(&forgotten, json).expect("it is JSON");
        for (text, left) in [
            ("和@小满 去", "和@** 去"),
            ("@小满，@小满[笑哭R]@小满", "@**，@**[笑哭R]@**"),
            ("@小满爱吃 @小满_ @小满😀", "@小满爱吃 @小满_ @小满😀"),
            ("@小满（北京） @小满（上海）", "@小满（北京） @**（上海）"),
            ("小满 a@b", "小满 a@b"),
        ] {
            assert_eq!(names.masked(text), left);
        }
    }
}
