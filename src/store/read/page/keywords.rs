//! Keywords and their suggestions.

use anyhow::Result;

use crate::store::db::{Tx, fetch_all};
use crate::time::Time;

/// A keyword that is or was watched.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct KeywordFacts {
    /// The keyword.
    pub keyword: String,
    /// When its suggestions were last observed.
    pub observed_at: Option<Time>,
    /// Number of suggestions then.
    pub suggestions: i64,
    /// The first of them.
    pub first: Option<String>,
}

/// A suggestion at one observation.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct RankedSuggestion {
    /// When.
    pub observed_at: Time,
    /// Its rank, from 1.
    pub rank: i64,
    /// The suggestion.
    pub suggestion: String,
    /// The document it comes from.
    pub document_id: i64,
}

impl Tx {
    /// Keywords in order, after the first `offset`.
    pub async fn keyword_facts(&mut self, limit: i64, offset: i64) -> Result<Vec<KeywordFacts>> {
        Ok(fetch_all!(
            self,
            KeywordFacts,
            "select t.keyword, t.observed_at,
                    (select count(*) from keyword_suggestions
                     where keyword = t.keyword and observed_at = t.observed_at) as suggestions,
                    (select min(suggestion) from keyword_suggestions
                     where keyword = t.keyword and observed_at = t.observed_at and rank = 1) as first
             from (select k.key as keyword,
                          (select max(observed_at) from keyword_suggestions
                           where keyword = k.key) as observed_at
                   from (select key from targets where kind = 'keyword'
                         order by key limit $1 offset $2) k) t
             order by t.keyword",
            limit,
            offset
        ))
    }

    /// Suggestions for a keyword at its latest observations, latest first.
    pub async fn suggestion_ranks(
        &mut self,
        keyword: &str,
        observations: i64,
    ) -> Result<Vec<RankedSuggestion>> {
        Ok(fetch_all!(
            self,
            RankedSuggestion,
            "select s.observed_at, cast(s.rank as bigint) as rank, s.suggestion, s.document_id
             from (select distinct observed_at from keyword_suggestions where keyword = $1
                   order by observed_at desc limit $2) l
             join keyword_suggestions s on s.keyword = $1 and s.observed_at = l.observed_at
             order by s.observed_at desc, s.rank limit 5000",
            keyword,
            observations
        ))
    }
}
