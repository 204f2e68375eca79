//! Reads one section of `jobs.toml` and reports all its problems at once.

use std::collections::BTreeSet;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{self, Visitor};
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue, ValueDeserializer};

use super::problems::{Problem, Problems, Source, quoted};
use crate::suggest;

/// A parsed section; keys with a wrong type keep their defaults.
pub(super) struct Section<T> {
    /// The parsed value.
    pub(super) value: T,
    /// Keys with invalid values, already reported.
    pub(super) broken: BTreeSet<String>,
    /// Range of the section.
    pub(super) span: Range<usize>,
}

/// Hint for an unknown key.
pub(super) type Misplaced = dyn Fn(&str) -> Option<Problem>;

/// Reads a section. Unknown keys and wrong types are reported; the rest is read.
pub(super) fn read<'de, T: Deserialize<'de> + Default>(
    value: Spanned<DeValue<'de>>,
    misplaced: &Misplaced,
    source: &Source<'_>,
    problems: &mut Problems,
) -> Section<T> {
    read_as(value, Some, misplaced, source, problems)
}

/// The same of a section in which the keys of `T` have other names; `None`: it has no such key.
pub(super) fn read_as<'de, T: Deserialize<'de> + Default>(
    value: Spanned<DeValue<'de>>,
    written: impl Fn(&'static str) -> Option<&'static str>,
    misplaced: &Misplaced,
    source: &Source<'_>,
    problems: &mut Problems,
) -> Section<T> {
    let span = value.span();
    let DeValue::Table(mut table) = value.into_inner() else {
        let help = "write its name in brackets, and its keys below";
        problems.at(source, span.clone(), Problem::new("this is a section, not a value", help));
        return Section { value: T::default(), broken: BTreeSet::new(), span };
    };
    let keys = known_keys::<T>().iter().filter_map(|key| Some((*key, written(key)?)));
    let keys: Vec<(&'static str, &'static str)> = keys.collect();
    let known: Vec<_> = keys.iter().map(|(_, written)| *written).collect();
    drop_unknown(&mut table, &known, misplaced, source, problems);
    for (key, written) in keys.into_iter().filter(|(key, written)| key != written) {
        if let Some((name, value)) = table.remove_entry(written) {
            table.insert(Spanned::new(name.span(), key.into()), value);
        }
    }
    let mut broken = BTreeSet::new();
    // Each failed round removes one key, so the loop ends.
    loop {
        let whole = Spanned::new(span.clone(), DeValue::Table(table.clone()));
        let error = match T::deserialize(ValueDeserializer::from(whole)) {
            Ok(value) => {
                return Section { value, broken, span };
            }
            Err(error) => error,
        };
        let at = error.span().unwrap_or(span.clone());
        problems.at(source, at.clone(), wrong_type(error.message()));
        let Some(key) = key_around(&table, &at) else {
            return Section { value: T::default(), broken, span };
        };
        table.remove(key.as_str());
        broken.insert(key);
    }
}

fn key_around(table: &DeTable<'_>, at: &Range<usize>) -> Option<String> {
    let around = |span: Range<usize>| span.start <= at.start && at.end <= span.end;
    let (key, _) = table.iter().find(|(_, value)| around(value.span()))?;
    Some(key.get_ref().to_string())
}

fn drop_unknown(
    table: &mut DeTable<'_>,
    known: &[&'static str],
    misplaced: &Misplaced,
    source: &Source<'_>,
    problems: &mut Problems,
) {
    let keys: Vec<Spanned<DeString<'_>>> = table.keys().cloned().collect();
    for key in keys {
        let name: &str = key.get_ref();
        let problem =
            misplaced(name).or_else(|| (!known.contains(&name)).then(|| unknown_key(name, known)));
        if let Some(problem) = problem {
            problems.at_key(source, key.span(), problem);
            table.remove(name);
        }
    }
}

fn unknown_key(name: &str, known: &[&str]) -> Problem {
    let help = suggest::nearest(name, known.iter().copied()).map_or_else(
        || format!("the keys here are {}", known.join(", ")),
        |near| format!("did you mean `{near}`?"),
    );
    Problem::new(format!("unknown key {}", quoted(name)), help)
}

/// serde's message without the value it quotes.
fn wrong_type(message: &str) -> Problem {
    let (found, expected) = message.rsplit_once(", expected ").unwrap_or((message, ""));
    let expected = match expected.trim() {
        "a sequence" => "a list",
        "i64" => "a whole number",
        "a boolean" => "true or false",
        "a string" => "a text in quotes",
        "a map" => "a table",
        other if other.starts_with("struct") => "a table",
        "" => "another type of value",
        other => other,
    };
    let found = found.strip_prefix("invalid type: ").unwrap_or_default();
    let found = match found.split([' ', '`', '"']).next().unwrap_or_default() {
        "integer" => "a whole number",
        "floating" => "a number with a point",
        "boolean" => "true or false",
        "string" => "a text",
        "sequence" => "a list",
        "map" => "a table",
        _ => "something else",
    };
    Problem::new("the value has the wrong type", format!("expected {expected}, found {found}"))
}

/// The keys of a wire type: the field list that `#[derive(Deserialize)]` passes on.
fn known_keys<'de, T: Deserialize<'de>>() -> &'static [&'static str] {
    let mut keys: &'static [&'static str] = &[];
    // This deserializer always fails after recording the field list.
    let _ = T::deserialize(KeyReader(&mut keys));
    keys
}

struct KeyReader<'a>(&'a mut &'static [&'static str]);

impl<'de> de::Deserializer<'de> for KeyReader<'_> {
    type Error = de::value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(de::Error::custom("only structs have keys"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Self::Error> {
        *self.0 = fields;
        Err(de::Error::custom("only the keys were wanted"))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}
