//! "Did you mean …?"

/// The name nearest to a misspelt one, if it is near enough.
pub(crate) fn nearest<'a>(written: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let folded = fold(written);
    let scored = names.map(|name| (strsim::damerau_levenshtein(&folded, &fold(name)), name));
    let (distance, name) = scored.min_by_key(|(distance, _)| *distance)?;
    // At most a third of the letters may differ, and at most three.
    let allowed = (name.chars().count() / 3).min(3);
    (distance <= allowed).then_some(name)
}

/// The suggestion to append to a message about an unknown name; empty if none is near.
pub(crate) fn meant<'a>(written: &str, names: impl Iterator<Item = &'a str>) -> String {
    nearest(written, names).map_or_else(String::new, |near| format!(": did you mean `{near}`?"))
}

/// Ignores case and separators.
fn fold(name: &str) -> String {
    // Longer than any name.
    let letters = name.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).take(64);
    letters.collect::<String>().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn nearest_finds_misspelt_names_and_ignores_other_words() {
        let names = ["timezone", "schedule", "max_pages", "name"];
        let near = |written| nearest(written, names.into_iter());
        assert_eq!(near("timezne"), Some("timezone"));
        assert_eq!(near("TimeZone"), Some("timezone"));
        assert_eq!(near("maxPages"), Some("max_pages"));
        assert_eq!(near("shcedule"), Some("schedule"));
        assert_eq!(near("colour"), None);
        assert_eq!(near(&"x".repeat(100_000)), None);
    }
}
