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

/// Whether the database rolled back a transaction because of a concurrent one: a retry succeeds.
pub fn is_conflict(error: &anyhow::Error) -> bool {
    let Some(sqlx::Error::Database(error)) = error.downcast_ref::<sqlx::Error>() else {
        return false;
    };
    // PostgreSQL: deadlock, serialisation failure.
    error.code().is_some_and(|code| matches!(code.as_ref(), "40P01" | "40001"))
}
