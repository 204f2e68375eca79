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
