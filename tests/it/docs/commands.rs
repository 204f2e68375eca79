//! The command line accepts every command in the documentation.

use clap::Parser as _;
use tidewatch::cli::Cli;

const DOCUMENTS: [(&str, &str); 4] = [
    ("README.md", include_str!("../../../README.md")),
    ("README.zh-CN.md", include_str!("../../../README.zh-CN.md")),
    ("docs/sql.md", include_str!("../../../docs/sql.md")),
    ("docs/how-to/back-up.md", include_str!("../../../docs/how-to/back-up.md")),
];

/// The words of a command, up to a comment or the end of the command.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '#' | '|' | '>' | '<' | ';' | '&') => break,
            (None, ' ') => words.push(std::mem::take(&mut word)),
            (_, c) => word.push(c),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

/// The calls of the program in the shell examples.
fn calls(document: &str) -> impl Iterator<Item = &str> {
    let examples = document.split("```sh\n").skip(1).filter_map(|it| it.split("```").next());
    examples.flat_map(str::lines).filter(|line| line.starts_with("tidewatch "))
}

#[test]
fn documented_commands_are_accepted() {
    for (name, document) in DOCUMENTS {
        for call in calls(document) {
            if let Err(error) = Cli::try_parse_from(words(call)) {
                panic!("{name}: {call}\n{error}");
            }
        }
    }
    assert!(calls(DOCUMENTS[0].1).count() > 10 && calls(DOCUMENTS[1].1).count() > 10);
}
