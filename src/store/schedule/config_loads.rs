//! Statements about how a process has read its settings, at the start and again.

use anyhow::Result;

use crate::store::db::{Tx, execute, fetch_optional};
use crate::time::Time;

/// One reading of the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigLoad<'a> {
    /// Taken over: whom they say to ask.
    TakenOver {
        /// Where calls to JustOneAPI go from then on.
        justoneapi_url: &'a str,
        /// Where calls to amagi go from then on.
        amagi_url: &'a str,
        /// What tells the token from others, in most cases; `None`: there is none.
        token_mark: Option<i64>,
    },
    /// Refused: what is wrong with them.
    Refused(&'a str),
}

/// How a process stands to its settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, sqlx::FromRow, serde::Serialize)]
pub struct ConfigState {
    /// When it took over the settings that it works with.
    pub taken_over_at: Option<Time>,
    /// Where its calls to JustOneAPI go since then.
    pub justoneapi_url: Option<String>,
    /// When it refused newer ones, if it did.
    pub refused_at: Option<Time>,
    /// What is wrong with those.
    pub error: Option<String>,
}

impl Tx {
    /// Puts on record that a process has read its settings.
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

    /// Where JustOneAPI was asked by the settings that any process took over last, and the mark of
    /// the token, if one is known.
    pub async fn last_asked(&mut self) -> Result<Option<(String, Option<i64>)>> {
        Ok(fetch_optional!(
            self,
            (String, Option<i64>),
            "select justoneapi_url, token_mark from config_loads
             where justoneapi_url is not null order by load_id desc limit 1"
        ))
    }

    /// How a process stands to its settings.
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
