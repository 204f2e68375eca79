//! The face: one file a subcommand.

pub mod check;
