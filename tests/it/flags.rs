//! Environment variables of the tests.

/// Number of kills in the crash test: `TIDEWATCH_KILLS`.
pub(crate) fn kills() -> u64 {
    flag("TIDEWATCH_KILLS").map_or(50, |kills| kills.parse().expect("TIDEWATCH_KILLS is a number"))
}

/// Whether long tests run for minutes: `TIDEWATCH_LONG_TESTS=1`.
pub(crate) fn is_long() -> bool {
    flag("TIDEWATCH_LONG_TESTS").is_some_and(|value| value == "1")
}

#[expect(clippy::disallowed_methods, reason = "longer tests on request")]
fn flag(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Environment variables that fake the date for a program, if `tests/run.sh` fakes it.
#[expect(clippy::disallowed_methods, reason = "tests/run.sh says at which date it tests")]
pub(crate) fn faked_date() -> impl Iterator<Item = (&'static str, String)> {
    let names = ["LD_PRELOAD", "FAKETIME", "FAKETIME_DONT_FAKE_MONOTONIC"];
    names.into_iter().filter_map(|name| Some((name, std::env::var(name).ok()?)))
}

/// Offset of the faked date from the machine's, in seconds.
pub(crate) fn date_offset() -> i64 {
    let offset = faked_date().find(|(name, _)| *name == "FAKETIME");
    offset.map_or(0, |(_, seconds)| seconds.parse().unwrap())
}
