//! Everything left behind, to search for a token.

use std::path::Path;
use std::process::Command;

use crate::databases::Database;
use crate::program::Place;

/// Searches for a token, and for a text that must be found where the token could be.
pub(super) struct Traces {
    /// The alphanumeric middle of the token, and its hex encoding in a dump.
    secrets: [String; 2],
    expected: String,
    found_in: Vec<String>,
    expected_in: Vec<String>,
    scanned: Vec<String>,
}

impl Traces {
    pub(super) fn new(token: &str, expected: &str) -> Self {
        let parts = token.split(|c: char| !c.is_ascii_alphanumeric());
        let middle = parts.max_by_key(|part| part.len()).unwrap().to_lowercase();
        assert!(middle.len() >= 16, "too short to be found nowhere by chance");
        let bytes = middle.bytes().map(|byte| format!("{byte:02x}")).collect();
        Self {
            secrets: [middle, bytes],
            expected: expected.to_owned(),
            found_in: Vec::new(),
            expected_in: Vec::new(),
            scanned: Vec::new(),
        }
    }

    /// Searches the output of a directory's programs.
    pub(super) fn scan_output(&mut self, place: &Place) {
        self.scan_file("stdout", &place.output("stdout"));
        self.scan_file("stderr", &place.output("stderr"));
    }

    /// Searches every byte of a SQLite file and the files beside it, or a dump of PostgreSQL.
    pub(super) fn scan_database(&mut self, database: &Database) {
        if database.url().starts_with("postgres:") {
            self.scan("dump", &dump(database.url()));
            return;
        }
        for entry in std::fs::read_dir(database.directory()).unwrap() {
            let entry = entry.unwrap();
            self.scan_file(&entry.file_name().to_string_lossy(), &entry.path());
        }
    }

    fn scan_file(&mut self, name: &str, path: &Path) {
        self.scan(name, &std::fs::read(path).unwrap());
    }

    fn scan(&mut self, name: &str, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes).to_ascii_lowercase();
        self.scanned.push(name.to_owned());
        if text.contains(&self.expected) {
            self.expected_in.push(name.to_owned());
        }
        for secret in &self.secrets {
            if let Some((before, _)) = text.split_once(secret) {
                let from = before.char_indices().rev().nth(200).map_or(0, |(at, _)| at);
                let before = before.get(from..).unwrap_or_default();
                self.found_in.push(format!("{name}: …{before}<the token>"));
            }
        }
    }

    /// Asserts that the token was not found, and that the search works.
    pub(super) fn check(&self) {
        assert!(self.found_in.is_empty(), "{}", self.found_in.join("\n"));
        for name in ["stderr", "test.db", "dump"] {
            let scanned = self.scanned.iter().any(|it| it == name);
            let expected = self.expected_in.iter().any(|found| found == name);
            assert_eq!(scanned, expected, "{:?} should be in {name}", self.expected);
        }
    }
}

/// The content of a PostgreSQL database as text.
fn dump(url: &str) -> Vec<u8> {
    let program =
        postgres_bin().map_or("pg_dump".into(), |folder| Path::new(&folder).join("pg_dump"));
    let output = Command::new(&program).args(["--column-inserts", "--dbname", url]).output();
    let output = output.unwrap_or_else(|error| {
        panic!("{} does not start ({error}): TEST_POSTGRES_BIN says where it is", program.display())
    });
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Directory of PostgreSQL's programs.
#[expect(clippy::disallowed_methods, reason = "tests/run.sh says where PostgreSQL is")]
fn postgres_bin() -> Option<std::ffi::OsString> {
    std::env::var_os("TEST_POSTGRES_BIN")
}
