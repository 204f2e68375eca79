//! The envelope around JustOneAPI's answers: `{code, data, message, …}`.
