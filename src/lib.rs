//! Tidewatch: a scheduled archival crawler that writes to SQL.
//!
//! In reading order: [`model`] has the plain rows, [`api`] says what to ask upstream and what an
//! answer means.

pub mod model;
pub mod time;
