//! README.zh-CN.md names everything README.md names.

use std::collections::BTreeSet;

const ENGLISH: &str = include_str!("../../../README.md");
const CHINESE: &str = include_str!("../../../README.zh-CN.md");

/// Tables of names, by the start of their first line, with the columns that contain names.
const TABLES: [(&str, &[usize]); 7] = [
    ("| group | table or view |", &[2]),
    ("| section | key |", &[1, 2]),
    ("| upstream | `calls.outcome` |", &[2]),
    ("| `slots.reason` of a missed slot |", &[1]),
    ("| metric |", &[1]),
    ("| verb | does |", &[1, 2]),
    ("| exit code |", &[1]),
];

/// The words in backticks.
fn names(text: &str) -> BTreeSet<&str> {
    let spans = text.split('`').skip(1).step_by(2);
    spans.flat_map(|span| span.split([' ', ',', '\\', '|'])).filter(|it| !it.is_empty()).collect()
}

/// The names in one table of README.md.
fn named(head: &str, columns: &[usize]) -> BTreeSet<&'static str> {
    let (_, rest) = ENGLISH.split_once(head).unwrap_or_else(|| panic!("there is no table {head}"));
    let rows = rest.lines().skip(2).take_while(|line| line.starts_with('|'));
    let cell = |row: &'static str, at: usize| row.split(" | ").nth(at - 1).unwrap_or_default();
    rows.flat_map(|row| columns.iter().flat_map(move |at| names(cell(row, *at)))).collect()
}

/// The commands in the examples.
fn commands(text: &str) -> BTreeSet<&str> {
    let examples = text.split("```").skip(1).step_by(2).flat_map(str::lines);
    let calls = examples.map(|line| line.trim_start_matches(['$', ' ']));
    let called = ["tidewatch ", "cargo ", "bash "];
    let calls = calls.filter(|line| called.iter().any(|it| line.starts_with(it)));
    calls.map(|line| line.split('#').next().unwrap_or_default().trim_end()).collect()
}

#[test]
fn chinese_readme_has_all_names() {
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
fn chinese_readme_has_all_commands() {
    let (english, chinese) = (commands(ENGLISH), commands(CHINESE));
    assert!(english.len() > 20, "{english:?}");
    assert_eq!(english, chinese);
}

#[test]
fn chinese_readme_has_all_sections() {
    let sections = |text: &str| text.lines().filter(|line| line.starts_with("## ")).count();
    // The Chinese summary has no counterpart.
    assert!(sections(CHINESE) >= sections(ENGLISH) - 1);
}
