//! What README.md names, its Chinese twin names as well.

use std::collections::BTreeSet;

const ENGLISH: &str = include_str!("../../README.md");
const CHINESE: &str = include_str!("../../README.zh-CN.md");

/// The tables in which everything has a name, by what their first line begins with; which of their
/// columns the names stand in.
const TABLES: [(&str, &[usize]); 7] = [
    ("| group | table or view |", &[2]),
    ("| section | key |", &[1, 2]),
    ("| upstream | `calls.outcome` |", &[2]),
    ("| `slots.reason` of a missed slot |", &[1]),
    ("| metric |", &[1]),
    ("| verb | does |", &[1, 2]),
    ("| exit code |", &[1]),
];

/// What stands between backticks, word by word.
fn names(text: &str) -> BTreeSet<&str> {
    let spans = text.split('`').skip(1).step_by(2);
    spans.flat_map(|span| span.split([' ', ',', '\\', '|'])).filter(|it| !it.is_empty()).collect()
}

/// The names of one table of README.md.
fn named(head: &str, columns: &[usize]) -> BTreeSet<&'static str> {
    let (_, rest) = ENGLISH.split_once(head).unwrap_or_else(|| panic!("there is no table {head}"));
    let rows = rest.lines().skip(2).take_while(|line| line.starts_with('|'));
    let cell = |row: &'static str, at: usize| row.split(" | ").nth(at - 1).unwrap_or_default();
    rows.flat_map(|row| columns.iter().flat_map(move |at| names(cell(row, *at)))).collect()
}

/// The lines of the examples in which something is called.
fn commands(text: &str) -> BTreeSet<&str> {
    let examples = text.split("```").skip(1).step_by(2).flat_map(str::lines);
    let calls = examples.map(|line| line.trim_start_matches(['$', ' ']));
    let called = ["tidewatch ", "cargo ", "bash "];
    let calls = calls.filter(|line| called.iter().any(|it| line.starts_with(it)));
    calls.map(|line| line.split('#').next().unwrap_or_default().trim_end()).collect()
}

#[test]
fn every_table_key_reason_metric_and_verb_is_named_in_both() {
    let known = names(CHINESE);
    for (head, columns) in TABLES {
        let names = named(head, columns);
        assert!(names.len() > 3 || head == "| exit code |", "{head}: {names:?}");
        let missing: Vec<_> = names.difference(&known).collect();
        assert!(
            missing.is_empty(),
            "README.zh-CN.md does not name {missing:?} of the table {head}"
        );
    }
}

#[test]
fn every_command_of_the_examples_is_in_both() {
    let (english, chinese) = (commands(ENGLISH), commands(CHINESE));
    assert!(english.len() > 20, "{english:?}");
    assert_eq!(english, chinese);
}

#[test]
fn every_section_has_its_twin() {
    let sections = |text: &str| text.lines().filter(|line| line.starts_with("## ")).count();
    // The summary in Chinese has none; reports and the page are described in one of them alone.
    assert!(sections(CHINESE) >= sections(ENGLISH) - 1);
}
