//! The outline of an answer: the path and type of everything in it, without values.

use serde_json_borrow::Value;

use crate::document::JsonText;

/// Bits and names of JSON types. Empty lists and objects have no type: upstream sends either for
/// "nothing", whatever the type of the value.
const TYPES: [(u8, &str); 5] =
    [(1, "string"), (2, "number"), (4, "boolean"), (OBJECT, "object"), (16, "array")];

/// Bit of a non-empty object.
pub(super) const OBJECT: u8 = 8;

/// Maximum depth of a path.
const DEEPEST: usize = 24;

/// Maximum number of values of an answer; a larger one has no outline, because part of one would
/// look like missing paths.
const MOST_VALUES: usize = 100_000;

/// Maximum length of a field name, in bytes.
const LONGEST_KEY: usize = 48;

/// Maximum number of digits in a field name.
const MOST_DIGITS: u32 = 5;

/// Weight of each byte of a key: a digit is one, and what no field name has is too many.
const WEIGHTS: [u32; 256] = {
    let mut weights = [MOST_DIGITS + 1; 256];
    let (mut byte, mut at) = (0_u8, 0);
    while at < 128 {
        if byte.is_ascii_digit() {
            weights[at] = 1;
        } else if byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-' | b'.' | b'$') {
            weights[at] = 0;
        }
        (byte, at) = (byte + 1, at + 1);
    }
    weights
};

/// An odd number with well-mixed bits.
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// Path segment of every list item.
const ITEM: &str = "[]";

/// Path segment of every key that is data.
const ANY_KEY: &str = "*";

/// The paths of an answer as hashes, each with its type, in document order. A path below a list is
/// repeated for every item.
#[derive(Clone, Debug)]
pub struct Outline(pub(super) Vec<(u64, u8)>);

/// A place in an answer: the hashes of its parent's path and of its own, and its last segment.
#[derive(Clone, Copy)]
pub(super) struct Spot<'a> {
    pub(super) parent: u64,
    pub(super) path: u64,
    pub(super) part: &'a str,
}

impl Outline {
    /// The outline of an answer; `None` if it is not JSON or too large.
    pub fn of(answer: &JsonText<'_>) -> Option<Self> {
        let mut paths = Vec::with_capacity(512);
        walk(answer.tree()?, ROOT, 0, &mut |spot, types| paths.push((spot.path, types)));
        (paths.len() < MOST_VALUES).then_some(Self(paths))
    }
}

impl<'a> Spot<'a> {
    fn below(self, part: &'a str) -> Self {
        Self { parent: self.path, path: hash(self.path, part), part }
    }
}

/// The whole answer.
pub(super) const ROOT: Spot<'static> = Spot { parent: 0, path: 0, part: "" };

/// Visits every value of an answer, parents first. Null counts as missing.
pub(super) fn walk<'a>(
    value: &'a Value<'a>,
    spot: Spot<'a>,
    depth: usize,
    visit: &mut impl FnMut(Spot<'a>, u8),
) {
    match value {
        Value::Null => {}
        Value::Str(_) => visit(spot, 1),
        Value::Number(_) => visit(spot, 2),
        Value::Bool(_) => visit(spot, 4),
        Value::Object(fields) => {
            visit(spot, if fields.is_empty() { 0 } else { OBJECT });
            if depth < DEEPEST {
                for (key, value) in fields.iter() {
                    walk(value, spot.below(part(key)), depth + 1, visit);
                }
            }
        }
        Value::Array(items) => {
            visit(spot, if items.is_empty() { 0 } else { 16 });
            if depth < DEEPEST {
                let item = spot.below(ITEM);
                items.iter().for_each(|value| walk(value, item, depth + 1, visit));
            }
        }
    }
}

/// The hash of a written path.
pub(super) fn hash_of(path: &str) -> u64 {
    path.split('/').skip(1).fold(ROOT.path, hash)
}

/// The parent of a path.
pub(super) fn parent_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

/// Whether a path is a named field. List items and map entries come and go with the data.
pub(super) fn is_named(path: &str) -> bool {
    path.rsplit_once('/').is_some_and(|(_, part)| part != ITEM && part != ANY_KEY)
}

/// The names of types, joined by `|`; `None` if there are none.
pub(super) fn type_names(types: u8) -> Option<String> {
    let names = TYPES.iter().filter(|(bit, _)| types & bit != 0).map(|(_, name)| *name);
    Some(names.collect::<Vec<_>>().join("|")).filter(|names| !names.is_empty())
}

/// The types of these names.
pub(super) fn types_of(names: Option<&str>) -> u8 {
    let names = names.unwrap_or_default().split('|');
    names.filter_map(|name| TYPES.iter().find(|it| it.1 == name)).fold(0, |all, it| all | it.0)
}

/// The segment of a key. A key that does not look like a field name is data, such as an id, and
/// must not get into a path.
fn part(key: &str) -> &str {
    let begins = key.bytes().next().is_some_and(|first| !first.is_ascii_digit());
    let weight: u32 = key.bytes().take(LONGEST_KEY + 1).map(|it| WEIGHTS[usize::from(it)]).sum();
    if begins && key.len() <= LONGEST_KEY && weight <= MOST_DIGITS { key } else { ANY_KEY }
}

/// The hash of a path from its parent's: fast, because every key of every answer is hashed.
fn hash(parent: u64, part: &str) -> u64 {
    let bytes = part.as_bytes();
    let mix = |hash: u64, word: u64| (hash.rotate_left(23) ^ word).wrapping_mul(MULTIPLIER);
    let (words, rest) = bytes.as_chunks::<8>();
    let seed = parent.wrapping_add(bytes.len() as u64 + 1);
    let hash = words.iter().fold(seed, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    let hash = match bytes.last_chunk::<8>() {
        _ if rest.is_empty() => hash,
        Some(last) => mix(hash, u64::from_le_bytes(*last)),
        None => mix(hash, rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte))),
    };
    hash ^ (hash >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The paths of an answer, with types.
    fn paths(json: &str) -> Vec<(String, Option<String>)> {
        let text = JsonText::of(json);
        let mut written = vec![(ROOT.path, String::new())];
        let mut found = Vec::new();
        walk(text.tree().expect("JSON"), ROOT, 0, &mut |spot, types| {
            let parent = written.iter().find(|it| it.0 == spot.parent).map(|it| it.1.clone());
            let path = match spot.part {
                "" => String::new(),
                part => format!("{}/{part}", parent.expect("parents come first")),
            };
            assert_eq!(hash_of(&path), spot.path, "{path}");
            written.push((spot.path, path.clone()));
            found.push((path, type_names(types)));
        });
        found.sort();
        found.dedup();
        found
    }

    #[test]
    fn list_items_share_one_path() {
        let found = paths(r#"{"a":[{"b":1},{"b":"x","c":null}],"d":{},"e":[],"f":true}"#);
        let found: Vec<_> = found.iter().map(|(path, it)| (path.as_str(), it.as_deref())).collect();
        let expected = [
            ("", Some("object")),
            ("/a", Some("array")),
            ("/a/[]", Some("object")),
            ("/a/[]/b", Some("number")),
            ("/a/[]/b", Some("string")),
            ("/d", None),
            ("/e", None),
            ("/f", Some("boolean")),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn data_keys_are_not_part_of_paths() {
        let long = "k".repeat(49);
        for data in ["65a1b2c3d4e5f60718293a4b", "7", "", "北京", "a b", "a/b", "u123456", &long]
        {
            assert_eq!(part(data), "*", "{data}");
        }
        for name in ["mEngagementNum", "mCpuvNum30d", "play_addr_h264", "x-id", "_id"] {
            assert_eq!(part(name), name);
        }
    }

    #[test]
    fn type_names_round_trip() {
        for types in 0..32 {
            assert_eq!(types_of(type_names(types).as_deref()), types);
        }
    }
}
