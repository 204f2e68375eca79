//! Database URLs: what people write, and what is wrong with it. No error shows a part of one: a
//! password may be anywhere in it.

use std::path::PathBuf;
use std::str::FromStr as _;

use anyhow::{Result, anyhow, bail, ensure};
use sqlx::postgres::PgConnectOptions;

const ENCODE: &str = "a user or password with @ / : # ? or % must be percent-encoded in the database \
                      URL: @ is %40, / is %2F, : is %3A, # is %23, ? is %3F, % is %25";

/// Where the archive is.
#[derive(Debug)]
pub(in crate::store) enum Address {
    /// A file.
    Sqlite(PathBuf),
    /// A server.
    Postgres(Box<PgConnectOptions>),
}

impl Address {
    /// Reads `sqlite:PATH` or `postgres://…`. A driver in the scheme (`postgresql+psycopg2`) and
    /// `?mode=rwc` behind a path, as other programs write them, say nothing new.
    pub(in crate::store) fn of(url: &str) -> Result<Self> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            let path = path.strip_suffix("?mode=rwc").unwrap_or(path);
            ensure!(
                !path.contains('?'),
                "a SQLite URL is sqlite:PATH and takes no parameters: what follows the ? would \
                 become part of the file's name"
            );
            return Ok(Self::Sqlite(PathBuf::from(path)));
        }
        let (scheme, rest) = url.split_once("://").unwrap_or_default();
        let scheme = scheme.split('+').next().unwrap_or_default();
        ensure!(
            matches!(scheme, "postgres" | "postgresql"),
            "the database URL must begin with sqlite: or postgres://, for example sqlite:tidewatch.db"
        );
        if is_cut_by_a_password(rest) {
            bail!("the database URL is ambiguous: {ENCODE}");
        }
        let options = PgConnectOptions::from_str(&format!("postgres://{rest}"));
        let options = options
            .map_err(|_| anyhow!("the database URL is not a valid postgres:// URL: {ENCODE}"))?;
        Ok(Self::Postgres(Box::new(options)))
    }
}

/// Whether the host or path of a URL seem to be the rest of a password.
fn is_cut_by_a_password(rest: &str) -> bool {
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let (path, query) = tail.split_once('?').unwrap_or((tail, ""));
    let (before_at, has_at) = query.split_once('@').map_or((query, false), |(it, _)| (it, true));
    tail.contains('#')
        || path.contains('@')
        || (has_at && !before_at.contains('='))
        || authority.matches('@').count() > 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_other_programs_write_is_understood() {
        for url in ["sqlite:a/b.db", "sqlite://a/b.db", "sqlite:a/b.db?mode=rwc"] {
            let Ok(Address::Sqlite(path)) = Address::of(url) else { panic!("{url}") };
            assert_eq!(path, PathBuf::from("a/b.db"));
        }
        for url in [
            "postgresql+psycopg2://crawler:secret@db.example:6432/tidewatch",
            "postgres://crawler:secret@db.example:6432/tidewatch?application_name=a@b",
        ] {
            let Ok(Address::Postgres(options)) = Address::of(url) else { panic!("{url}") };
            assert_eq!((options.get_host(), options.get_port()), ("db.example", 6432));
            assert_eq!(options.get_username(), "crawler");
            assert_eq!(options.get_database(), Some("tidewatch"));
        }
    }

    #[test]
    fn a_password_that_cuts_the_url_is_explained_and_never_shown() {
        for password in ["12/x3y", "12#x3y", "12?x3y", "1@2/x3y", "x3y@x3y", "/x3y", "x3y:/"] {
            let url = format!("postgres://crawler:{password}@db.example/tidewatch");
            let told = format!("{:#}", Address::of(&url).expect_err(password));
            assert!(told.contains("must be percent-encoded"), "{password}: {told}");
            assert!(!told.contains("x3y"), "{told}");
        }
        for url in ["tidewatch.db", "mysql://u:x3y@h/d", "sqlite:a.db?mode=ro", ""] {
            let told = format!("{:#}", Address::of(url).expect_err(url));
            assert!(!told.contains("x3y") && told.contains("sqlite:"), "{told}");
        }
    }
}
