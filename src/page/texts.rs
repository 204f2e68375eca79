//! Every text of the page, in both languages, side by side: one without the other does not compile.

use std::borrow::Cow;

use super::plain::plain;
use crate::config::Language;

macro_rules! texts {
    ($($name:ident: $chinese:literal, $english:literal;)*) => {
        /// A text of the page.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Text { $($name),* }

        impl Text {
            /// The text in a language.
            pub(super) fn say(self, language: Language) -> &'static str {
                match (self, language) {
                    $(
                        (Self::$name, Language::Chinese) => $chinese,
                        (Self::$name, Language::English) => $english,
                    )*
                }
            }
        }
    };
}

texts! {
    Address: "链接", "Address";
    Age: "发布后", "Age";
    Agency: "机构", "Agency";
    AllWell: "一切正常。", "Nothing is wrong.";
    ArchiveEnds: "档案的最后一次调用已是一天以前，本页按当时显示：", "The archive's last call was more than a day ago; this page is as of then:";
    Asked: "查询", "Asked for";
    Attempt: "第几次尝试", "try";
    Author: "作者", "Author";
    Billed: "计费", "Billed";
    BudgetCalls: "今日调用上限", "Calls of the day";
    BudgetMoney: "今日预算（元）", "Budget of the day, yuan";
    ByAge: "发布后的互动（相邻两次观察之间插值）", "By age (between the nearest observations)";
    Calls: "调用", "Calls";
    ChartHint: "拖动放大，双击复原，点图例开关一条线。", "Drag to zoom, double-click to reset, click the legend to switch a line.";
    ClickHint: "点击一点打开它的原文。", "Click a point for its document.";
    Cleaned: "与原字节不同", "Not the very bytes";
    Code: "码", "code";
    Collects: "收藏", "Collects";
    Comments: "评论", "Comments";
    CompareByAge: "按发布后时间对比", "Compare by age";
    Cost: "今日费用", "Cost today";
    Coverage: "观察覆盖", "Coverage";
    Curves: "曲线", "Curves";
    CutShort: "只显示开头。总字符数：", "Only the beginning is shown. Characters in all:";
    Days7: "7 天", "7 days";
    DaysShort: "天", "d";
    Document: "原文", "Document";
    Drift: "异样", "Drift";
    Due: "应观察", "due";
    Edited: "编辑", "Edited";
    Endpoint: "接口", "Endpoint";
    EngagementMedian: "互动中位数", "Engagement median";
    Entered: "新进", "entered";
    Failed: "档案暂时没有回答，请稍后再试，或缩小范围；日志里有原因。", "The archive did not answer. Try again, or ask for less; the log says why.";
    Fetched: "取得", "Fetched";
    FirstSeen: "首次见到", "First seen";
    FirstSuggestion: "第一条联想", "First suggestion";
    Followers: "粉丝", "Followers";
    Footer: "只读。每个数字都来自存档的原文；– 表示接口没给，≈ 表示平台给的是约数。", "Read-only. Every number comes from a kept answer; – was not seen, ≈ was rounded by the platform.";
    Forgotten: "已删除，不再存档。删除时间：", "Forgotten: deleted for good, and not archived again. When:";
    Grew: "增长", "Grew";
    Handle: "小红书号", "Handle";
    History: "历史", "History";
    Home: "首页", "Home";
    Hours24: "24 小时", "24 hours";
    HoursOld: "发布后小时数", "hours since publication";
    HoursShort: "小时", "h";
    Imported: "导入", "Imported";
    Item: "作品", "Item";
    Job: "任务", "Job";
    Jobs: "任务", "Jobs";
    Keyword: "关键词", "Keyword";
    Keywords: "关键词", "Keywords";
    Kind: "类型", "Kind";
    Kol: "博主", "KOL";
    Kols: "博主", "KOLs";
    Last: "最近", "last";
    LastLook: "最近一次", "The last look";
    LastSeen: "最近确认", "Last confirmed";
    Left: "掉出", "left";
    Likes: "点赞", "Likes";
    LikesByAge: "发布后各时间的点赞", "Likes by age";
    Linear: "线性", "linear";
    Log: "对数", "log";
    Looks: "次观察", "look";
    MeasuredFrom: "起点", "Measured from";
    Missed: "漏采", "missed";
    MissedLooks: "漏采的观察", "Missed looks";
    Movers: "变化最大", "What moved most";
    NeedsScript: "曲线需要 JavaScript；每个点都在下面的表里。", "Curves need JavaScript; every point stands in the table below.";
    NextFire: "下次", "Next fire";
    NextLook: "下次观察", "Next look";
    NoAge: "发布时间未知。", "Its publication is not known.";
    NoBudget: "jobs.toml 没有设每日上限。", "jobs.toml sets no limit of the day.";
    NoDaemon: "没有正在运行的守护进程。", "No daemon is at work.";
    NoJobs: "还没有任务：在 jobs.toml 里写一个，再运行 tidewatch run。", "No job yet: write one in jobs.toml, then tidewatch run.";
    NoKeywords: "还没有关键词任务。", "No keyword is watched yet.";
    NoKols: "还没有博主搜索的结果。", "No KOL was found by a search yet.";
    NoTargets: "没有目标。", "No targets.";
    NoneMissed: "没有漏采。", "None was missed.";
    NotFound: "档案里没有。", "The archive has nothing of that kind.";
    NotInFile: "已不在 jobs.toml", "not in jobs.toml";
    NothingChosen: "先在任务页勾选作品。", "Choose items on the page of a job first.";
    NothingDue: "无", "nothing due";
    NothingFound: "没有找到。", "Nothing was found.";
    NothingMoved: "这段时间没有观察。", "Nothing was observed in this time.";
    NothingSeen: "还没有观察。", "Nothing was seen yet.";
    Now: "现在", "Now";
    Observations: "观察", "Observations";
    Observed: "已观察", "observed";
    Older: "更早", "older";
    Open: "未完成", "open";
    Outcome: "结果", "Outcome";
    Paid: "花费", "Paid";
    Paused: "暂停", "Paused";
    PerDay: "每天", "per day";
    PerhapsBilled: "可能计费", "Perhaps billed";
    PictureNotes: "图文", "pictures";
    PicturePerEngagement: "图文价/互动", "Picture per engagement";
    PicturePerRead: "图文价/阅读", "Picture per read";
    PicturePrice: "图文报价", "Picture price";
    Pictures: "图", "pictures";
    Place: "地点", "Place";
    PriceAgainstEngagement: "报价与互动中位数", "Price against engagement median";
    PriceYuan: "报价（元）", "price, yuan";
    PricesInYuan: "价格单位为元；每阅读、每互动以同类作品的中位数计算。", "Prices are in yuan; per read and per engagement by the medians of the same kind of note.";
    Published: "发布", "Published";
    RanksOverTime: "排名变化", "Ranks over time";
    ReadMedian: "阅读中位数", "Read median";
    Redacted: "已删去部分内容", "Cut: null stands for what is forgotten";
    RefusedSettings: "新的 jobs.toml 被拒绝", "A newer jobs.toml is refused";
    Rounded: "平台给出的约数", "rounded by the platform";
    Schedule: "计划", "Schedule";
    Search: "搜索", "Search";
    SearchHint: "标题、昵称、id", "title, nickname, id";
    Shares: "分享", "Shares";
    Since: "自", "since";
    Size: "大小", "Size";
    Suggestions: "联想词", "Suggestions";
    Targets: "目标", "Targets";
    ThisLanguage: "中文", "English";
    Time: "时间", "Time";
    Timeline: "时间线", "Timeline";
    Total: "累计", "total";
    Trouble: "问题", "What is wrong";
    Unpriced: "没有单价", "Without a price";
    Until: "至", "until";
    VideoNotes: "视频", "videos";
    VideoPerEngagement: "视频价/互动", "Video per engagement";
    VideoPerRead: "视频价/阅读", "Video per read";
    VideoPrice: "视频报价", "Video price";
    Views: "浏览/播放", "Views";
    Weeks: "周内", "week";
    Windows: "时段", "Windows";
    Yuan: "元", "yuan";
}

/// What the database calls something, in the visitor's language. What is not known here is shown as
/// it is there: a reason may be of a newer version.
pub(super) fn named(language: Language, name: &str) -> Cow<'static, str> {
    let (chinese, english) = match name {
        "an answer after it was gone" => ("消失后又有了答复", "an answer after it was gone"),
        "an answer after it was refused" => ("被拒后又有了答复", "an answer after it was refused"),
        "body changed" => ("正文变了", "body changed"),
        "the first observation" => ("第一次观察", "the first observation"),
        "the platform says so" => ("平台给出", "the platform says so"),
        "title changed" => ("标题变了", "title changed"),
        "title, body changed" => ("标题和正文变了", "title, body changed"),
        "access" | "denied" => ("无权限", "denied"),
        "alert not sent" => ("告警未送达", "alert not sent"),
        "bad_credentials" => ("凭据无效", "bad credentials"),
        "bad_request" | "refused" => ("被拒绝", "refused"),
        "back" => ("恢复", "back"),
        "balance" => ("余额不足", "no balance"),
        "budget" => ("预算用完", "budget"),
        "by_hand" => ("手动", "by hand"),
        "cancelled" => ("取消", "cancelled"),
        "daemon_down" => ("守护进程未运行", "no daemon ran"),
        "drift" => ("答复异样", "odd answer"),
        "edited" => ("编辑", "edited"),
        "empty" => ("空答复", "empty answer"),
        "endpoint" => ("接口", "endpoint"),
        "expired" => ("过期", "expired"),
        "failing" => ("连续失败", "failing"),
        "first_seen" => ("首次见到", "first seen"),
        "forgotten" => ("已删除", "forgotten"),
        "gone" => ("消失", "gone"),
        "images" | "normal" => ("图文", "pictures"),
        "interrupted" => ("中断", "interrupted"),
        "job" => ("任务", "job"),
        "keyword" => ("关键词", "keyword"),
        "kol" => ("博主", "KOL"),
        "kol_search" => ("博主搜索", "KOL search"),
        "missed" => ("漏采", "missed"),
        "no" => ("否", "no"),
        "no daemon made the look" => ("没有守护进程来观察", "no daemon made the look"),
        "note" => ("小红书笔记", "Xiaohongshu note"),
        "ok" => ("成功", "ok"),
        "overdue" => ("逾期", "overdue"),
        "overlap" => ("上次未完", "overlap"),
        "paused" => ("暂停", "paused"),
        "provider" => ("供应方", "provider"),
        "published" => ("发布", "published"),
        "quota" => ("配额用完", "quota"),
        "rate_limited" => ("限速", "rate limited"),
        "retryable" => ("上游故障", "upstream failed"),
        "retrying" => ("重试中", "trying again"),
        "skipped" => ("跳过", "skipped"),
        "superseded" => ("被下一次取代", "superseded"),
        "transport" => ("网络故障", "network"),
        "unknown" => ("不明", "unknown"),
        "unknown call" => ("结果不明的调用", "call of unknown end"),
        "unpriced" => ("没有单价", "unpriced"),
        "unreadable" => ("读不懂", "unreadable"),
        "unwatched" => ("不再观察", "unwatched"),
        "upstream_failure" => ("上游故障", "upstream failure"),
        "video" => ("视频", "video"),
        "work" => ("抖音作品", "Douyin work"),
        "yes" => ("是", "yes"),
        _ => return Cow::Owned(plain(name)),
    };
    Cow::Borrowed(match language {
        Language::Chinese => chinese,
        Language::English => english,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_shown_as_it_is_and_safely() {
        assert_eq!(named(Language::English, "daemon_down"), "no daemon ran");
        assert_eq!(named(Language::Chinese, "newer\u{202e}"), "newer⟨U+202E⟩");
    }
}
