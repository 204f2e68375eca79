//! Which database errors are permanent, and which are worth a retry.

/// Whether the database rejects the data itself (text or numbers that it cannot store), so that a
/// retry fails as well.
pub fn is_refused(error: &anyhow::Error) -> bool {
    let Some(sqlx::Error::Database(error)) = error.downcast_ref::<sqlx::Error>() else {
        return false;
    };
    let code = error.code().unwrap_or_default();
    match code.parse::<u32>() {
        // SQLite: generic error (the statements are tested, so the data is at fault), value too
        // big, constraint. The upper bits are extended codes.
        Ok(code) if code < 10_000 => matches!(code & 0xff, 1 | 18 | 19),
        // PostgreSQL: classes 22, data exception; 23, constraint; 54, program limit.
        _ => ["22", "23", "54"].iter().any(|class| code.starts_with(class)),
    }
}

/// Another process changed a row between reading and writing it.
#[derive(Debug, thiserror::Error)]
#[error("another process changed what is known of {0} meanwhile")]
pub(in crate::store) struct Overtaken(pub(in crate::store) &'static str);

/// Whether an error says that the database undid a transaction because another one stood in its
/// way: nothing is wrong with either, and doing it again goes through.
pub fn is_conflict(error: &anyhow::Error) -> bool {
    if error.is::<Overtaken>() {
        return true;
    }
    let Some(sqlx::Error::Database(error)) = error.downcast_ref::<sqlx::Error>() else {
        return false;
    };
    // PostgreSQL: deadlock, serialisation failure.
    error.code().is_some_and(|code| matches!(code.as_ref(), "40P01" | "40001"))
}
