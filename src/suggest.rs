//! "Did you mean …?"

/// The name nearest to what was written, if any is near enough to be what was meant.
pub(crate) fn nearest<'a>(written: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let folded = fold(written);
    let scored = names.map(|name| (strsim::damerau_levenshtein(&folded, &fold(name)), name));
    let (distance, name) = scored.min_by_key(|(distance, _)| *distance)?;
    // A third of the letters may be wrong, and never more than three.
    let allowed = (name.chars().count() / 3).min(3);
    (distance <= allowed).then_some(name)
}

/// What to add to a message about a name that there is not: the nearest one, where there is one.
pub(crate) fn meant<'a>(written: &str, names: impl Iterator<Item = &'a str>) -> String {
    nearest(written, names).map_or_else(String::new, |near| format!(": did you mean `{near}`?"))
}

/// Case and separators are what people get wrong first.
fn fold(name: &str) -> String {
    // Longer than any name there is: no need to compare it all.
    let letters = name.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).take(64);
    letters.collect::<String>().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn small_mistakes_find_the_name_and_other_words_do_not() {
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
