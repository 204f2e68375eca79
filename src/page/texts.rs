//! All texts of the page in both languages; a missing translation does not compile.

use std::borrow::Cow;

use super::plain::plain;
use crate::config::Language;
use crate::model::{MissedReason, PauseReason};

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
    Asked: "查询", "Query";
    Attempt: "第几次尝试", "attempt";
    Author: "作者", "Author";
    Billed: "计费", "Billed";
    BudgetCalls: "今日调用上限", "Daily call limit";
    BudgetMoney: "今日预算（元）", "Daily budget, yuan";
    ByAge: "发布后的互动（相邻两次观测之间插值）", "By age (interpolated between observations)";
    Calls: "调用", "Calls";
    ChartHint: "拖动放大，双击复原，点图例开关一条线。", "Drag to zoom, double-click to reset, click the legend to switch a line.";
    Cleaned: "与原字节不同", "Differs from the original bytes";
    ClickHint: "点击一点打开它的原文。", "Click a point for its document.";
    Code: "码", "code";
    Collects: "收藏", "Collects";
    Comments: "评论", "Comments";
    CompareByAge: "按发布后时间对比", "Compare by age";
    Cost: "今日费用", "Cost today";
    Coverage: "观测覆盖", "Coverage";
    Curves: "曲线", "Curves";
    CutShort: "只显示开头。总字符数：", "Truncated. Total characters:";
    Days7: "7 天", "7 days";
    DaysShort: "天", "d";
    Document: "原文", "Document";
    Drift: "异样", "Drift";
    Due: "计划抓取", "due";
    Edited: "编辑", "Edited";
    Endpoint: "接口", "Endpoint";
    EngagementMedian: "互动中位数", "Engagement median";
    Entered: "新进", "entered";
    Failed: "档案暂时没有回答，请稍后再试，或缩小范围；日志里有原因。", "The archive did not answer. Try again, or narrow the request; the log has the reason.";
    Fetched: "抓取", "Fetched";
    FirstSeen: "首次见到", "First seen";
    FirstSuggestion: "第一条联想", "First suggestion";
    Followers: "粉丝", "Followers";
    Footer: "只读。每个数字都来自存档的原文；– 表示接口没给，≈ 表示平台给的是约数。", "Read-only. Every number comes from a stored answer; – is unknown, ≈ is rounded by the platform.";
    Forgotten: "已删除，不再存档。删除时间：", "Forgotten: erased permanently and no longer archived. Time:";
    Grew: "增长", "Growth";
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
    LastSeen: "最近确认", "Last confirmed";
    LatestObservation: "最近一次观测", "Latest observation";
    Left: "掉出", "left";
    Likes: "点赞", "Likes";
    LikesByAge: "发布后各时间的点赞", "Likes by age";
    Linear: "线性", "linear";
    Log: "对数", "log";
    MeasuredFrom: "起点", "Measured from";
    Missed: "漏抓", "missed";
    MissedSlots: "漏抓的计划抓取", "Missed slots";
    Movers: "变化最大", "Largest changes";
    NeedsScript: "曲线需要 JavaScript；每个点都在下面的表里。", "Curves need JavaScript; the table below lists every point.";
    NextFire: "下次", "Next fire";
    NextSlot: "下次计划抓取", "Next slot";
    NoAge: "发布时间未知。", "The publication time is unknown.";
    NoBudget: "jobs.toml 没有设每日上限。", "jobs.toml sets no daily limit.";
    NoDaemon: "没有正在运行的守护进程。", "No daemon is running.";
    NoJobs: "还没有任务：在 jobs.toml 里写一个，再运行 tidewatch run。", "No jobs yet: add one to jobs.toml and run tidewatch run.";
    NoKeywords: "还没有关键词任务。", "No keywords yet.";
    NoKols: "还没有博主搜索的结果。", "No results of KOL searches yet.";
    NoTargets: "没有目标。", "No targets.";
    NoneMissed: "没有漏抓。", "No missed slots.";
    NotFound: "档案里没有。", "Not in the archive.";
    NotInFile: "已不在 jobs.toml", "not in jobs.toml";
    NothingChosen: "先在任务页勾选作品。", "Select items on a job page first.";
    NothingDue: "无", "nothing due";
    NothingFound: "没有找到。", "No results.";
    NothingMoved: "这段时间没有观测。", "No observations in this period.";
    NothingSeen: "还没有观测。", "No observations yet.";
    Now: "现在", "Now";
    Observations: "观测", "Observations";
    Observed: "已观测", "observed";
    Older: "更早", "older";
    OneObservation: "次观测", "observation";
    Open: "待抓取", "open";
    Outcome: "结果", "Outcome";
    Paid: "花费", "Cost";
    Paused: "暂停", "Paused";
    PerDay: "每天", "per day";
    PerhapsBilled: "可能计费", "Possibly billed";
    PictureNotes: "图文", "pictures";
    PicturePerEngagement: "图文价/互动", "Picture price per engagement";
    PicturePerRead: "图文价/阅读", "Picture price per read";
    PicturePrice: "图文报价", "Picture price";
    Pictures: "图", "pictures";
    Place: "地点", "Place";
    PriceAgainstEngagement: "报价与互动中位数", "Price and median engagement";
    PriceYuan: "报价（元）", "price, yuan";
    PricesInYuan: "价格单位为元；每阅读、每互动以同类作品的中位数计算。", "Prices are in yuan; per read and per engagement use the medians of the same kind of note.";
    Problems: "问题", "Problems";
    Published: "发布", "Published";
    RanksOverTime: "排名变化", "Ranks over time";
    ReadMedian: "阅读中位数", "Read median";
    Redacted: "已删去部分内容", "Redacted: null replaces erased content";
    RefusedSettings: "新的 jobs.toml 被拒绝", "A newer jobs.toml was rejected";
    Rounded: "平台给出的约数", "rounded by the platform";
    Doubtful: "存疑", "doubtful";
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
    Unpriced: "没有单价", "No price";
    Until: "至", "until";
    VideoNotes: "视频", "videos";
    VideoPerEngagement: "视频价/互动", "Video price per engagement";
    VideoPerRead: "视频价/阅读", "Video price per read";
    VideoPrice: "视频报价", "Video price";
    Views: "浏览/播放", "Views";
    Weeks: "周内", "week";
    Windows: "时段", "Windows";
    Yuan: "元", "yuan";
}

/// A database name in the visitor's language. Unknown names are shown as they are: they may come
/// from a newer version.
pub(super) fn named(language: Language, name: &str) -> Cow<'static, str> {
    let (chinese, english) = match name {
        "an answer after it was gone" => ("消失后又有了答复", "an answer after it was gone"),
        "an answer after it was refused" => ("被拒后又有了答复", "an answer after it was refused"),
        "an answer after it was unreadable" => {
            ("无法解析后又有了答复", "an answer after it was unreadable")
        }
        "body changed" => ("正文变了", "body changed"),
        "the first observation" => ("首次观测", "the first observation"),
        "the platform says so" => ("平台给出", "the platform says so"),
        "title changed" => ("标题变了", "title changed"),
        "title, body changed" => ("标题和正文变了", "title, body changed"),
        "access" => PauseReason::Denied.said(),
        "alert not sent" => ("告警未送达", "alert not sent"),
        "refused" => MissedReason::BadRequest.said(),
        "back" => ("恢复", "back"),
        "drift" => ("答复异样", "format drift"),
        "edited" => ("编辑", "edited"),
        "endpoint" => ("接口", "endpoint"),
        "first_seen" => ("首次见到", "first seen"),
        "fell" => ("比上次小", "lower than before"),
        "images" | "normal" => ("图文", "pictures"),
        "job" => ("任务", "job"),
        "keyword" => ("关键词", "keyword"),
        "kol" => ("博主", "KOL"),
        "kol_search" => ("博主搜索", "KOL search"),
        "leapt" => ("与上次相差千倍", "a thousandfold from before"),
        "missed" => ("漏抓", "missed"),
        "no" => ("否", "no"),
        "no daemon claimed the slot" => ("没有守护进程领取", "no daemon claimed the slot"),
        "note" => ("小红书笔记", "Xiaohongshu note"),
        "ok" => ("成功", "ok"),
        "overdue" => ("逾期", "overdue"),
        "provider" => ("供应方", "provider"),
        "published" => ("发布", "published"),
        "retryable" => ("上游故障", "upstream failure"),
        "retrying" => ("重试中", "retrying"),
        "unknown" => ("不明", "unknown"),
        "unknown call" => ("结果不明的调用", "call with unknown outcome"),
        "video" => ("视频", "video"),
        "work" => ("抖音作品", "Douyin work"),
        "yes" => ("是", "yes"),
        "zeros" => ("全部为 0", "all of them 0"),
        _ => match (MissedReason::parse(name), PauseReason::parse(name)) {
            (Some(reason), _) => reason.said(),
            (None, Some(reason)) => reason.said(),
            (None, None) => return Cow::Owned(plain(name)),
        },
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
    fn unknown_name_is_shown_escaped() {
        assert_eq!(named(Language::English, "daemon_down"), "daemon down");
        assert_eq!(named(Language::Chinese, "newer\u{202e}"), "newer⟨U+202E⟩");
    }
}
