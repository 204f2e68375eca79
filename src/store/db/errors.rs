//! What an error of the database means for whoever gets it.

/// Whether an error says that the database refuses the data itself, however often it is tried:
/// text or numbers that it cannot hold. Anything else may pass.
pub fn is_refused(error: &anyhow::Error) -> bool {
    let Some(sqlx::Error::Database(error)) = error.downcast_ref::<sqlx::Error>() else {
        return false;
    };
    let code = error.code().unwrap_or_default();
    match code.parse::<u32>() {
        // SQLite: a generic error in a statement that is known to be right, a value that is too
        // big, or a constraint. The upper bits say more than is asked here.
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
    // PostgreSQL: a deadlock, or a failure to serialise.
    error.code().is_some_and(|code| matches!(code.as_ref(), "40P01" | "40001"))
}
