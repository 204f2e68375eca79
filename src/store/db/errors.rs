//! Errors of a database: which are permanent, which are worth a retry, and how they are told.

use sqlx::error::DatabaseError;

/// Characters of a statement that its error shows.
const SHOWN: usize = 60;

/// A statement that the database rejected.
#[derive(Debug, thiserror::Error)]
#[error("{message}, in `{statement}`")]
struct Rejected {
    message: String,
    statement: String,
    error: Box<dyn DatabaseError>,
}

/// The error of a statement. What a database says comes with our statement, not with a line of the
/// server's own source, and a missing right with the grant.
pub(in crate::store) fn failed(error: sqlx::Error, statement: &str) -> anyhow::Error {
    let sqlx::Error::Database(error) = error else { return error.into() };
    let mut message = error.message().to_owned();
    if error.code().as_deref() == Some("42501")
        && let Some(grant) = missing_grant(&message)
    {
        message += &format!("; grant it: `{grant} to ROLE`");
    }
    let statement: Vec<_> = statement.split_whitespace().collect();
    let mut statement = statement.join(" ");
    if let Some((end, _)) = statement.char_indices().nth(SHOWN) {
        statement.truncate(end);
        statement.push('…');
    }
    Rejected { message, statement, error }.into()
}

/// The grant that PostgreSQL misses, by its message.
fn missing_grant(message: &str) -> Option<String> {
    let (kind, name) = message.strip_prefix("permission denied for ")?.split_once(' ')?;
    Some(match kind {
        "sequence" => format!("grant usage, select on sequence {name}"),
        "schema" => format!("grant usage, create on schema {name}"),
        "view" => format!("grant select on {name}"),
        "table" | "relation" => format!("grant select, insert, update, delete on {name}"),
        _ => return None,
    })
}

/// What the database said, if that is the error.
pub(in crate::store) fn said(error: &anyhow::Error) -> Option<&dyn DatabaseError> {
    match (error.downcast_ref::<Rejected>(), error.downcast_ref::<sqlx::Error>()) {
        (Some(rejected), _) => Some(&*rejected.error),
        (None, Some(sqlx::Error::Database(error))) => Some(&**error),
        _ => None,
    }
}

/// Whether the database rejects the data itself (text or numbers that it cannot store), so that a
/// retry fails as well.
pub fn is_refused(error: &anyhow::Error) -> bool {
    let Some(error) = said(error) else { return false };
    let code = error.code().unwrap_or_default();
    match code.parse::<u32>() {
        // SQLite: generic error (the statements are tested, so the data is at fault), value too
        // big, constraint. The upper bits are extended codes.
        Ok(code) if code < 10_000 => matches!(code & 0xff, 1 | 18 | 19),
        // PostgreSQL: classes 22, data exception; 23, constraint; 54, program limit.
        _ => ["22", "23", "54"].iter().any(|class| code.starts_with(class)),
    }
}

/// Whether an error says that the database cannot be reached or has no room just now: a daemon
/// waits. A wrong password, an unknown database or a wrong path stay wrong.
pub fn is_passing(error: &anyhow::Error) -> bool {
    if let Some(error) = said(error) {
        return is_passing_code(&error.code().unwrap_or_default());
    }
    error.chain().any(|cause| {
        if let Some(error) = cause.downcast_ref::<std::io::Error>() {
            return is_passing_io(error);
        }
        match cause.downcast_ref::<sqlx::Error>() {
            // The socket of a server that is stopped is not there.
            Some(sqlx::Error::Io(error)) => {
                error.kind() == std::io::ErrorKind::NotFound || is_passing_io(error)
            }
            Some(sqlx::Error::PoolTimedOut) => true,
            Some(sqlx::Error::Database(error)) => {
                is_passing_code(&error.code().unwrap_or_default())
            }
            _ => cause.is::<tokio::time::error::Elapsed>(),
        }
    })
}

fn is_passing_io(error: &std::io::Error) -> bool {
    use std::io::ErrorKind;
    !matches!(
        error.kind(),
        ErrorKind::NotFound
            | ErrorKind::PermissionDenied
            | ErrorKind::InvalidInput
            | ErrorKind::NotADirectory
            | ErrorKind::IsADirectory
            | ErrorKind::ReadOnlyFilesystem
    )
}

fn is_passing_code(code: &str) -> bool {
    match code.parse::<u32>() {
        // SQLite: busy, locked, disk I/O error, disk full, cannot open its log or journal.
        Ok(code) if code < 10_000 => matches!(code & 0xff, 5 | 6 | 10 | 13 | 14),
        // PostgreSQL: classes 08, connection; 53, no room; 57P, starting or stopping; 25006, read-only
        // after a failover.
        _ => ["08", "53", "57P", "25006"].iter().any(|class| code.starts_with(class)),
    }
}

/// Another process changed a row between reading and writing it.
#[derive(Debug, thiserror::Error)]
#[error("another process changed what is known of {0} meanwhile")]
pub(in crate::store) struct Overtaken(pub(in crate::store) &'static str);

/// Whether an error says that the database undid a transaction because another one stood in its
/// way: nothing is wrong with either, and doing it again goes through.
pub fn is_conflict(error: &anyhow::Error) -> bool {
    // PostgreSQL: deadlock, serialisation failure.
    let is_conflict = |code: &str| matches!(code, "40P01" | "40001");
    error.is::<Overtaken>()
        || said(error).and_then(|error| error.code()).is_some_and(|code| is_conflict(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_right_is_told_with_its_grant() {
        let of = |message| missing_grant(message).unwrap_or_default();
        let tables = "grant select, insert, update, delete on notes";
        assert_eq!(of("permission denied for table notes"), tables);
        let sequence = "grant usage, select on sequence calls_call_id_seq";
        assert_eq!(of("permission denied for sequence calls_call_id_seq"), sequence);
        let schema = "grant usage, create on schema public";
        assert_eq!(of("permission denied for schema public"), schema);
        assert_eq!(of("must be owner of table notes"), "");
    }
}
