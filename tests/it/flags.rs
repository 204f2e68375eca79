//! What the environment asks of the tests: longer runs than the usual ones.

/// How often the crash test kills its daemon: `TIDEWATCH_KILLS`.
pub(crate) fn kills() -> u64 {
    flag("TIDEWATCH_KILLS").map_or(50, |kills| kills.parse().expect("TIDEWATCH_KILLS is a number"))
}

/// Whether tests that go on for a while do so for minutes: `TIDEWATCH_LONG_TESTS=1`.
pub(crate) fn is_long() -> bool {
    flag("TIDEWATCH_LONG_TESTS").is_some_and(|value| value == "1")
}

#[expect(clippy::disallowed_methods, reason = "whoever runs the tests asks for longer ones")]
fn flag(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// What tells a program the date at which `tests/run.sh` runs the suite, if it is not the machine's.
#[expect(clippy::disallowed_methods, reason = "tests/run.sh says at which date it tests")]
pub(crate) fn faked_date() -> impl Iterator<Item = (&'static str, String)> {
    let names = ["LD_PRELOAD", "FAKETIME", "FAKETIME_DONT_FAKE_MONOTONIC"];
    names.into_iter().filter_map(|name| Some((name, std::env::var(name).ok()?)))
}

/// How many seconds that date is ahead of the machine's.
pub(crate) fn date_offset() -> i64 {
    let offset = faked_date().find(|(name, _)| *name == "FAKETIME");
    offset.map_or(0, |(_, seconds)| seconds.parse().unwrap())
}
