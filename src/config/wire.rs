//! `jobs.toml` as it is written. Every key may be left out unless it says otherwise. What is said of
//! a key here, editors show.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::{Spanned, Value};

/// Several texts, each with its place.
pub(super) type Texts = Vec<Spanned<String>>;

/// Names and values, each with its place.
pub(super) type Pairs = BTreeMap<Spanned<String>, Spanned<Value>>;

/// The keys outside of every section.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TopLevel {
    /// The IANA zone for schedules that name none, and for showing times. Default: Asia/Shanghai.
    #[schemars(with = "String")]
    pub(super) timezone: Option<Spanned<String>>,
}

/// `[justoneapi]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct JustOneApi {
    /// Where it answers. JUSTONEAPI_BASE_URL wins. Default: <https://api.justoneapi.com>.
    #[schemars(with = "String")]
    pub(super) base_url: Option<Spanned<String>>,
    /// Whether plain http to another machine is allowed; the token travels readable. Default: false.
    pub(super) allow_insecure_http: bool,
    /// Calls in flight at once at the most. Default: 8.
    #[schemars(with = "i64")]
    pub(super) concurrency: Option<Spanned<i64>>,
    /// Calls a second to each endpoint at the most. Default: 5.
    #[schemars(with = "i64")]
    pub(super) rate_per_second: Option<Spanned<i64>>,
    /// How long one call may take, in seconds. Default: 60.
    #[schemars(with = "i64")]
    pub(super) timeout_seconds: Option<Spanned<i64>>,
    /// `v1`, `v3`, `v6` (video notes only) or `v7`. Default: v7.
    #[schemars(with = "String")]
    pub(super) note_detail_version: Option<Spanned<String>>,
    /// Yuan a call by endpoint, with or without its version. Without one it is not known.
    #[schemars(schema_with = "super::schema::prices")]
    pub(super) price: Pairs,
}

/// `[amagi]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Amagi {
    /// Where the server answers. Default: <http://127.0.0.1:4567/api>.
    #[schemars(with = "String")]
    pub(super) base_url: Option<Spanned<String>>,
    /// Whether plain http to another machine is allowed. Default: false.
    pub(super) allow_insecure_http: bool,
    /// `aweme_id` (amagi 4.1 and later) or `url` (3.2 to 4.0). Default: aweme_id.
    #[schemars(with = "String")]
    pub(super) parameter: Option<Spanned<String>>,
    /// Calls in flight at once at the most. Default: 2.
    #[schemars(with = "i64")]
    pub(super) concurrency: Option<Spanned<i64>>,
    /// Calls a second to each endpoint at the most. Default: 2.
    #[schemars(with = "i64")]
    pub(super) rate_per_second: Option<Spanned<i64>>,
    /// How long one call may take, in seconds. Default: 60.
    #[schemars(with = "i64")]
    pub(super) timeout_seconds: Option<Spanned<i64>>,
}

/// `[budget]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Budget {
    /// Calls a day at the most, over all jobs and by hand. Default: no limit.
    #[schemars(with = "i64")]
    pub(super) max_calls_per_day: Option<Spanned<i64>>,
    /// Yuan a day at the most, over all jobs and by hand. Default: no limit.
    #[schemars(with = "f64")]
    pub(super) max_cost_per_day: Option<Spanned<Value>>,
}

/// `[douyin]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Douyin {
    /// Who answers for works: `amagi` or `justoneapi`. Default: amagi where there is a section
    /// `[amagi]`, else justoneapi.
    #[schemars(with = "String")]
    pub(super) provider: Option<Spanned<String>>,
}

/// `[daemon]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Daemon {
    /// How long what a process is at stays its own after its last sign of life, in seconds.
    /// Default: 60.
    #[schemars(with = "i64")]
    pub(super) lease_seconds: Option<Spanned<i64>>,
}

/// `[[job]]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct JobEntry {
    /// Its name, unique, at most 64 characters. Required.
    #[schemars(with = "String")]
    pub(super) name: Option<Spanned<String>>,
    /// `notes`, `keywords`, `kols` or `works`. Required.
    #[schemars(with = "String")]
    pub(super) kind: Option<Spanned<String>>,
    /// When it fires: cron with 5 or 6 fields, or `@hourly` and its like. Required.
    #[schemars(with = "String")]
    pub(super) schedule: Option<Spanned<String>>,
    /// The zone the schedule is meant in. Default: the `timezone` of the file.
    #[schemars(with = "String")]
    pub(super) timezone: Option<Spanned<String>>,
    /// Calls a day at the most. Default: no limit but that of `[budget]`.
    #[schemars(with = "i64")]
    pub(super) max_calls_per_day: Option<Spanned<i64>>,
    /// Whether it fires at all. Default: true.
    #[schemars(with = "bool")]
    pub(super) enabled: Option<bool>,
    /// When it fires: windows such as `mon-fri 09:00-18:00`, in its zone. Default: always.
    #[schemars(with = "Vec<String>")]
    pub(super) active: Option<Texts>,
    /// Over how long the looks of one fire are spread, such as `10m`. Default: not at all.
    #[schemars(with = "String")]
    pub(super) spread: Option<Spanned<String>>,
    /// What becomes of fires that nobody decided in time: `once`, `skip` or `all`. Default: once.
    #[schemars(with = "String")]
    pub(super) misfire: Option<Spanned<String>>,
    /// How old a fire may be that is looked at all the same, such as `6h`. Default: any age.
    #[schemars(with = "String")]
    pub(super) window: Option<Spanned<String>>,
    /// With `misfire = "all"`: how many are looked at. Default: 24.
    #[schemars(with = "i64")]
    pub(super) max_catchup: Option<Spanned<i64>>,
    /// What becomes of a fire while an older look is not done: `skip` or `queue`. Default: skip;
    /// queue with `misfire = "all"`.
    #[schemars(with = "String")]
    pub(super) overlap: Option<Spanned<String>>,
    /// Kind `notes`: ids, links or share text.
    #[schemars(with = "Vec<String>")]
    pub(super) notes: Option<Texts>,
    /// Kind `notes`: a file with one of them a line.
    #[schemars(with = "String")]
    pub(super) notes_file: Option<Spanned<String>>,
    /// Kind `keywords`: the words.
    #[schemars(with = "Vec<String>")]
    pub(super) keywords: Option<Texts>,
    /// Kind `keywords`: a file with one a line.
    #[schemars(with = "String")]
    pub(super) keywords_file: Option<Spanned<String>>,
    /// Kind `works`: ids, links or share text.
    #[schemars(with = "Vec<String>")]
    pub(super) urls: Option<Texts>,
    /// Kind `works`: a file with one of them a line.
    #[schemars(with = "String")]
    pub(super) urls_file: Option<Spanned<String>>,
    /// Kind `kols`: the search, by the names of the upstream query. Required there.
    #[schemars(schema_with = "super::schema::filter")]
    pub(super) filter: Option<Spanned<Pairs>>,
    /// Kind `kols`: pages to read at the most, 1 to 250. Default: 1.
    #[schemars(with = "i64")]
    pub(super) max_pages: Option<Spanned<i64>>,
}

/// `[health]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Health {
    /// Where `run` serves /healthz, /readyz and /metrics: an address of this machine. Default: nowhere.
    #[schemars(with = "String")]
    pub(super) listen: Option<Spanned<String>>,
}

/// `[[alert]]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct AlertEntry {
    /// Its name, unique. Default: its kind.
    #[schemars(with = "String")]
    pub(super) name: Option<Spanned<String>>,
    /// `generic`, `feishu`, `dingtalk` or `wecom`. Required.
    #[schemars(with = "String")]
    pub(super) kind: Option<Spanned<String>>,
    /// The environment variable that holds the address. This or `url_file` is required.
    #[schemars(with = "String")]
    pub(super) url_env: Option<Spanned<String>>,
    /// The file that holds the address.
    #[schemars(with = "String")]
    pub(super) url_file: Option<Spanned<String>>,
    /// Kinds `feishu` and `dingtalk`: the environment variable that holds the signing key.
    #[schemars(with = "String")]
    pub(super) sign_env: Option<Spanned<String>>,
    /// The file that holds the signing key.
    #[schemars(with = "String")]
    pub(super) sign_file: Option<Spanned<String>>,
    /// What to tell: `stopped`, `budget`, `silent`, `gone`, `refused`. Default: all of it.
    #[schemars(with = "Vec<String>")]
    pub(super) on: Option<Texts>,
    /// `zh` or `en`. Default: zh.
    #[schemars(with = "String")]
    pub(super) language: Option<Spanned<String>>,
    /// Fires of a job without any observation after which it is silent. Default: 3.
    #[schemars(with = "i64")]
    pub(super) silent_after: Option<Spanned<i64>>,
}
