//! Loads of the configuration: which process works with which settings.

use anyhow::Result;

use crate::store::db::{Tx, execute, fetch_optional};
use crate::time::Time;

/// One load of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigLoad<'a> {
    /// Accepted.
    TakenOver {
        /// Base URL for JustOneAPI.
        justoneapi_url: &'a str,
        /// Base URL for amagi.
        amagi_url: &'a str,
        /// A mark that differs between most tokens; `None`: there is no token.
        token_mark: Option<i64>,
    },
    /// Rejected, with the error.
    Refused(&'a str),
}

/// The configuration state of a process.
#[derive(Clone, Debug, Default, PartialEq, Eq, sqlx::FromRow, serde::Serialize)]
pub struct ConfigState {
    /// When it loaded its current settings.
    pub taken_over_at: Option<Time>,
    /// Base URL for JustOneAPI in them.
    pub justoneapi_url: Option<String>,
    /// When it rejected newer settings.
    pub refused_at: Option<Time>,
    /// The error in those.
    pub error: Option<String>,
}

impl Tx {
    /// Records a load of the configuration.
    pub async fn put_config_load(
        &mut self,
        owner: i64,
        load: ConfigLoad<'_>,
        now: Time,
    ) -> Result<()> {
        let (justoneapi_url, amagi_url, token_mark, error) = match load {
            ConfigLoad::TakenOver { justoneapi_url, amagi_url, token_mark } => {
                (Some(justoneapi_url), Some(amagi_url), token_mark, None)
            }
            ConfigLoad::Refused(error) => (None, None, None, Some(error)),
        };
        execute!(
            self,
            "insert into config_loads (owner, read_at, justoneapi_url, amagi_url, token_mark, error)
             values ($1, $2, $3, $4, $5, $6)",
            owner,
            now,
            justoneapi_url,
            amagi_url,
            token_mark,
            error
        );
        Ok(())
    }

    /// JustOneAPI's base URL and the token mark in the settings that any process loaded last.
    pub async fn last_asked(&mut self) -> Result<Option<(String, Option<i64>)>> {
        Ok(fetch_optional!(
            self,
            (String, Option<i64>),
            "select justoneapi_url, token_mark from config_loads
             where justoneapi_url is not null order by load_id desc limit 1"
        ))
    }

    /// The configuration state of a process.
    pub async fn config_state(&mut self, owner: i64) -> Result<ConfigState> {
        let state = fetch_optional!(
            self,
            ConfigState,
            "select taken.read_at as taken_over_at, taken.justoneapi_url,
                    case when last.error is not null then last.read_at end as refused_at,
                    last.error
             from config_loads last
             left join config_loads taken on taken.load_id = (
                 select max(load_id) from config_loads where owner = $1 and error is null)
             where last.owner = $1 order by last.load_id desc limit 1",
            owner
        );
        Ok(state.unwrap_or_default())
    }
}
