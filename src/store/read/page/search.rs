//! The search box.

use anyhow::Result;

use crate::store::db::{Tx, fetch_all};

/// A search hit.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct SearchHit {
    /// `note`, `work`, `kol` or `keyword`.
    pub kind: String,
    /// Its id, or the keyword.
    pub key: String,
    /// Its title, or a KOL's name.
    pub title: Option<String>,
    /// Its author's name.
    pub nickname: Option<String>,
}

/// A `like` pattern for texts that contain `words`, with wildcards escaped.
fn holding(words: &str) -> String {
    let mut pattern = String::from("%");
    for c in words.to_lowercase().chars() {
        if matches!(c, '\\' | '%' | '_') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern + "%"
}

impl Tx {
    /// Notes, works, KOLs and keywords whose title, author, name or id contains `words`: at most
    /// `limit` of each.
    pub async fn search(&mut self, words: &str, limit: i64) -> Result<Vec<SearchHit>> {
        Ok(fetch_all!(
            self,
            SearchHit,
            r"select kind, key, title, nickname from (
                 select 'note' as kind, n.note_id as key, coalesce(n.title, n.body) as title,
                        a.nickname
                 from notes n left join authors a
                      on a.platform = 'xiaohongshu' and a.author_id = n.author_id
                 where lower(n.title) like $1 escape '\' or lower(a.nickname) like $1 escape '\'
                       or n.note_id like $1 escape '\'
                 order by n.last_seen_at desc, n.note_id limit $2) f
             union all
             select kind, key, title, nickname from (
                 select 'work' as kind, w.work_id as key, coalesce(w.title, w.body) as title,
                        a.nickname
                 from works w left join authors a
                      on a.platform = 'douyin' and a.author_id = w.author_id
                 where lower(coalesce(w.title, w.body)) like $1 escape '\'
                       or lower(a.nickname) like $1 escape '\' or w.work_id like $1 escape '\'
                 order by w.last_seen_at desc, w.work_id limit $2) f
             union all
             select kind, key, title, nickname from (
                 select 'kol' as kind, k.kol_id as key, k.nickname as title, k.red_id as nickname
                 from kols k
                 where lower(k.nickname) like $1 escape '\' or lower(k.red_id) like $1 escape '\'
                       or k.kol_id like $1 escape '\'
                 order by k.last_seen_at desc, k.kol_id limit $2) f
             union all
             select kind, key, title, nickname from (
                 select 'keyword' as kind, t.key as key, t.key as title, null as nickname
                 from targets t where t.kind = 'keyword' and lower(t.key) like $1 escape '\'
                 order by t.key limit $2) f",
            holding(words),
            limit
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::holding;

    #[test]
    fn signs_of_patterns_stand_for_themselves() {
        assert_eq!(holding(r"100%_A\"), r"%100\%\_a\\%");
    }
}
