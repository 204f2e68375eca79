//! The text of alerts: what happened, since when, and what to do.

use std::borrow::Cow;

use chrono_tz::Tz;

use crate::config::{Alert, Condition, Language};
use crate::model::{KolSearch, PauseReason};
use crate::store::AlertRow;
use crate::text::{is_visible, money, things};
use crate::time::Time;

/// Findings listed in one message; the others are counted.
const MAX_LISTED: usize = 5;

/// Longest subject, in characters.
const MAX_SUBJECT: usize = 80;

/// A message: findings of one condition.
pub(super) struct Message<'a> {
    pub(super) condition: Condition,
    /// Whether they are resolved.
    pub(super) resolved: bool,
    pub(super) rows: &'a [AlertRow],
    /// When it is sent.
    pub(super) at: Time,
}

/// The text of a message.
pub(super) fn of(message: &Message<'_>, alert: &Alert, zone: Tz) -> String {
    let words = Words::of(message.condition, alert);
    let count = message.rows.len();
    let chinese = alert.language == Language::Chinese;
    let head = match (message.resolved, chinese) {
        (false, true) => format!("[Tidewatch] {}：{count} 项", words.what),
        (true, true) => format!("[Tidewatch] 已恢复：{}，{count} 项", words.what),
        (false, false) => format!("[Tidewatch] {}: {count}", words.what),
        (true, false) => format!("[Tidewatch] Resolved: {}: {count}", words.what),
    };
    let mut lines = vec![head];
    lines.extend(message.rows.iter().take(MAX_LISTED).map(|row| line(row, chinese, zone)));
    match count.saturating_sub(MAX_LISTED) {
        0 => {}
        more if chinese => lines.push(format!("……另有 {more} 项")),
        more => lines.push(format!("… and {more} more")),
    }
    if !message.resolved {
        lines.push(words.what_to_do);
    }
    lines.join("\n")
}

/// The text of a test message.
pub(super) fn test(alert: &Alert, zone: Tz, at: Time) -> String {
    let (name, at) = (plain(&alert.name), local(at, zone));
    match alert.language {
        Language::Chinese => format!("[Tidewatch] 测试消息：告警「{name}」可以送达。{at}"),
        Language::English => format!("[Tidewatch] Test: the alert {name} is delivered. {at}"),
    }
}

struct Words {
    what: &'static str,
    what_to_do: String,
}

impl Words {
    fn of(condition: Condition, alert: &Alert) -> Self {
        let fires = alert.silent_after;
        let (what, what_to_do) = match (condition, alert.language) {
            (Condition::Stopped, Language::Chinese) => (
                "已停止调用",
                "处理：解决原因（充值、更换 token、开通接口）；用 tidewatch status 查看，tidewatch resume 恢复".to_owned(),
            ),
            (Condition::Stopped, Language::English) => (
                "Calls are paused",
                "To do: remove the cause (balance, token, access); see tidewatch status, then \
                 tidewatch resume"
                    .to_owned(),
            ),
            (Condition::Budget, Language::Chinese) => (
                "当日预算即将用完",
                "处理：用完后当天不再调用；如需继续，调高 [budget]".to_owned(),
            ),
            (Condition::Budget, Language::English) => (
                "The daily budget is nearly used up",
                "To do: no calls are sent that day once it is used up; raise [budget] if they should be"
                    .to_owned(),
            ),
            (Condition::Balance, Language::Chinese) => (
                "账户余额不足",
                "处理：充值；下限由 low_balance 设定".to_owned(),
            ),
            (Condition::Balance, Language::English) => (
                "The balance is low",
                "To do: top up the account; `low_balance` sets the limit".to_owned(),
            ),
            (Condition::Silent, Language::Chinese) => (
                "任务没有采到数据",
                format!("最近 {fires} 次触发都没有采到数据。处理：用 tidewatch status 查看原因"),
            ),
            (Condition::Silent, Language::English) => (
                "Jobs observe nothing",
                format!(
                    "Nothing was observed in the last {}. To do: see tidewatch status",
                    things(fires, "fire")
                ),
            ),
            (Condition::Gone, Language::Chinese) => (
                "内容已消失",
                "已删除或不可见。处理：无需处理，之后会偶尔复查；不再关注的可从任务中移除".to_owned(),
            ),
            (Condition::Gone, Language::English) => (
                "Items are gone",
                "Deleted or hidden. To do: nothing; they are checked now and then until they are \
                 removed from the job"
                    .to_owned(),
            ),
            (Condition::Refused, Language::Chinese) => (
                "接口拒绝查询",
                "接口认为请求有误，不再定时查询。处理：用 tidewatch status 看原因，改正任务里的条目或接口设置".to_owned(),
            ),
            (Condition::Refused, Language::English) => (
                "Requests are refused",
                "Upstream rejects the request; the schedule does not repeat it. To do: see tidewatch \
                 status for the message, and correct the entry or the endpoint"
                    .to_owned(),
            ),
            (Condition::Unreadable, Language::Chinese) => (
                "答复无法解析",
                "已付费的答复连续无法解析，之后只偶尔复查。处理：用 tidewatch status 看原因，检查条目是否正确，或更新 tidewatch".to_owned(),
            ),
            (Condition::Unreadable, Language::English) => (
                "Answers are not understood",
                "Paid answers about these were not understood; they are checked now and then. To do: \
                 see tidewatch status for the reason, check the entries, or update tidewatch"
                    .to_owned(),
            ),
        };
        Self { what, what_to_do }
    }
}

/// One finding: subject, reason, and times.
fn line(row: &AlertRow, chinese: bool, zone: Tz) -> String {
    let (kind, key) = row.subject.split_once(' ').unwrap_or_default();
    let subject = match KolSearch::shown(kind, key) {
        Cow::Owned(search) => plain(&format!("{kind} {search}")),
        Cow::Borrowed(_) => plain(&row.subject),
    };
    let detail = detail(row, chinese);
    let (since, until) = (local(row.since, zone), row.resolved_at.map(|at| local(at, zone)));
    let separator = if chinese { "，" } else { ", " };
    let time = match (until, chinese) {
        (None, true) => format!("自 {since}"),
        (None, false) => format!("since {since}"),
        (Some(until), true) => format!("{since} 至 {until}"),
        (Some(until), false) => format!("from {since} to {until}"),
    };
    let parts = [subject, detail, time];
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    format!("- {}", parts.join(separator))
}

/// The reason in words, or a number with its unit.
fn detail(row: &AlertRow, chinese: bool) -> String {
    if row.condition == Condition::Budget.as_str() {
        return spent(row, chinese);
    }
    let Some(reason) = PauseReason::parse(&row.detail) else { return plain(&row.detail) };
    let (in_chinese, in_english) = reason.said();
    if chinese { in_chinese.to_owned() } else { in_english.to_owned() }
}

fn spent(row: &AlertRow, chinese: bool) -> String {
    let (spent, limit) = row.detail.split_once('/').unwrap_or((&row.detail, ""));
    if !row.subject.starts_with("cost") {
        let unit = if chinese { "次" } else { "calls" };
        return format!("{spent}/{limit} {unit}");
    }
    let yuan = |micros: &str| money(micros.parse().unwrap_or(0));
    let unit = if chinese { "元" } else { "yuan" };
    format!("{}/{} {unit}", yuan(spent), yuan(limit))
}

fn local(time: Time, zone: Tz) -> String {
    time.utc().with_timezone(&zone).format("%Y-%m-%d %H:%M %Z").to_string()
}

/// A text in one line that a chat does not interpret: no mention, link or markup.
fn plain(text: &str) -> String {
    text.chars()
        .filter(|c| is_visible(*c) && !matches!(c, '<' | '>' | '@'))
        .take(MAX_SUBJECT)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Webhook;

    fn alert(language: Language) -> Alert {
        Alert {
            name: "ops".to_owned(),
            webhook: Webhook::Generic,
            url: None,
            sign: None,
            proxy: None,
            on: Condition::ALL.to_vec(),
            language,
            silent_after: 3,
        }
    }

    fn row(condition: Condition, subject: &str, detail: &str, until: Option<&str>) -> AlertRow {
        AlertRow {
            alert_id: 1,
            condition: condition.as_str().to_owned(),
            subject: subject.to_owned(),
            detail: detail.to_owned(),
            since: "2026-03-09 14:10:42".parse().expect("a time"),
            resolved_at: until.map(|at| at.parse().expect("a time")),
            attempts: 1,
        }
    }

    fn told(condition: Condition, language: Language, rows: &[AlertRow]) -> String {
        let resolved = rows[0].resolved_at.is_some();
        let message = Message { condition, resolved, rows, at: rows[0].since };
        of(&message, &alert(language), Tz::Asia__Shanghai)
    }

    #[test]
    fn message_says_what_since_when_and_what_to_do() {
        let rows = [row(Condition::Stopped, "justoneapi", "balance", None)];
        assert_eq!(
            told(Condition::Stopped, Language::Chinese, &rows),
            "[Tidewatch] 已停止调用：1 项\n- justoneapi，余额不足，自 2026-03-09 22:10 CST\n\
             处理：解决原因（充值、更换 token、开通接口）；用 tidewatch status 查看，tidewatch resume 恢复"
        );
        let rows = [row(Condition::Budget, "cost 2026-03-09", "8000000/10000000", None)];
        assert_eq!(
            told(Condition::Budget, Language::English, &rows),
            "[Tidewatch] The daily budget is nearly used up: 1\n\
             - cost 2026-03-09, 8.00/10.00 yuan, since 2026-03-09 22:10 CST\n\
             To do: no calls are sent that day once it is used up; raise [budget] if they should be"
        );
        let rows = [row(Condition::Silent, "spring", "", Some("2026-03-09 16:00:00"))];
        assert_eq!(
            told(Condition::Silent, Language::Chinese, &rows),
            "[Tidewatch] 已恢复：任务没有采到数据，1 项\n\
             - spring，2026-03-09 22:10 CST 至 2026-03-10 00:00 CST"
        );
    }

    #[test]
    fn refused_item_is_not_called_gone() {
        let rows = [row(Condition::Refused, "note 6a01b2c3000000000e00d4e5", "", None)];
        let text = told(Condition::Refused, Language::English, &rows);
        assert!(text.starts_with("[Tidewatch] Requests are refused: 1\n"), "{text}");
        assert!(!text.contains("Deleted"), "{text}");
    }

    #[test]
    fn many_findings_are_counted_and_some_listed() {
        let rows: Vec<_> =
            (0..300).map(|n| row(Condition::Gone, &format!("note {n}"), "", None)).collect();
        let text = told(Condition::Gone, Language::English, &rows);
        assert!(text.starts_with("[Tidewatch] Items are gone: 300\n- note 0, since"), "{text}");
        assert!(text.contains("\n- note 4, ") && text.contains("\n… and 295 more\n"), "{text}");
        assert!(!text.contains("note 5"), "{text}");
    }

    #[test]
    fn subject_cannot_mention_everybody_or_begin_a_line() {
        assert_eq!(
            plain("<at user_id=\"all\">x\r\n\u{202e}\u{feff}@all"),
            "at user_id=\"all\"xall"
        );
    }
}
