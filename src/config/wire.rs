//! `jobs.toml` as written. Keys are optional unless documented as required. Editors show these doc
//! comments.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::{Spanned, Value};

/// Texts with their positions.
pub(super) type Texts = Vec<Spanned<String>>;

/// Names and values with their positions.
pub(super) type Pairs = BTreeMap<Spanned<String>, Spanned<Value>>;

/// Keys outside all sections.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TopLevel {
    /// IANA zone of schedules without one, and of displayed times. Default: Asia/Shanghai.
    #[schemars(with = "String")]
    pub(super) timezone: Option<Spanned<String>>,
}

/// The section of a provider, by its name.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ProviderSection {
    /// Its address. The environment variable `<NAME>_BASE_URL`, such as JUSTONEAPI_BASE_URL,
    /// overrides it.
    #[schemars(with = "String")]
    pub(super) base_url: Option<Spanned<String>>,
    /// Allow plain http to another machine; a token is then sent unencrypted. Default: false.
    pub(super) allow_insecure_http: bool,
    /// Maximum calls in flight.
    #[schemars(with = "i64")]
    pub(super) concurrency: Option<Spanned<i64>>,
    /// Maximum calls per second and endpoint.
    #[schemars(with = "i64")]
    pub(super) rate_per_second: Option<Spanned<i64>>,
    /// Timeout of one call in seconds.
    #[schemars(with = "i64")]
    pub(super) timeout_seconds: Option<Spanned<i64>>,
    /// Proxy on the way: `http://`, `https://`, `socks5://` or `socks5h://HOST:PORT`, without
    /// credentials. Default: none, whatever the environment says.
    #[schemars(with = "String")]
    pub(super) proxy: Option<Spanned<String>>,
    /// Environment variable with `user:password` of the proxy.
    #[schemars(with = "String")]
    pub(super) proxy_auth_env: Option<Spanned<String>>,
    /// File with `user:password` of the proxy.
    #[schemars(with = "String")]
    pub(super) proxy_auth_file: Option<Spanned<String>>,
    /// The endpoint it uses where it has several. It is written under the provider's own name of
    /// the key.
    #[schemars(with = "String")]
    pub(super) choice: Option<Spanned<String>>,
    /// Balance of the account below which the alert condition `balance` holds, in its currency.
    /// Default: 10.
    #[schemars(with = "f64")]
    pub(super) low_balance: Option<Spanned<Value>>,
    /// Yuan per call by endpoint, with or without version. Without a price the cost is unknown.
    #[schemars(with = "BTreeMap<String, f64>")]
    pub(super) price: Pairs,
}

/// `[budget]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Budget {
    /// Maximum calls per day over all jobs and manual fetches. Default: no limit.
    #[schemars(with = "i64")]
    pub(super) max_calls_per_day: Option<Spanned<i64>>,
    /// Maximum yuan per day over all jobs and manual fetches. Default: no limit.
    #[schemars(with = "f64")]
    pub(super) max_cost_per_day: Option<Spanned<Value>>,
}

/// `[archive]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Archive {
    /// Age at which answers are moved into compressed files inside the archive, such as `30d`, at
    /// least `7d`. Everything but plain SQL over their text works as before. Default: never.
    #[schemars(with = "String")]
    pub(super) cold_after: Option<Spanned<String>>,
}

/// `[douyin]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Douyin {
    /// Provider of works: `amagi` or `justoneapi`. Default: amagi if there is a section `[amagi]`,
    /// otherwise justoneapi.
    #[schemars(with = "String")]
    pub(super) provider: Option<Spanned<String>>,
}

/// `[daemon]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Daemon {
    /// How long a process keeps its slots after its last heartbeat, in seconds. Default: 60.
    #[schemars(with = "i64")]
    pub(super) lease_seconds: Option<Spanned<i64>>,
}

/// `[[job]]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct JobEntry {
    /// Unique name of at most 64 characters. Required.
    #[schemars(with = "String")]
    pub(super) name: Option<Spanned<String>>,
    /// `notes`, `keywords`, `kols` or `works`. Required.
    #[schemars(with = "String")]
    pub(super) kind: Option<Spanned<String>>,
    /// When it fires: cron with 5 or 6 fields, or `@hourly` and its like. Required.
    #[schemars(with = "String")]
    pub(super) schedule: Option<Spanned<String>>,
    /// Zone of the schedule. Default: the file's `timezone`.
    #[schemars(with = "String")]
    pub(super) timezone: Option<Spanned<String>>,
    /// Maximum calls per day. Default: only the limit of `[budget]`.
    #[schemars(with = "i64")]
    pub(super) max_calls_per_day: Option<Spanned<i64>>,
    /// Whether it fires. Default: true.
    #[schemars(with = "bool")]
    pub(super) enabled: Option<bool>,
    /// Windows in which it fires, such as `mon-fri 09:00-18:00`, in its zone. Default: always.
    #[schemars(with = "Vec<String>")]
    pub(super) active: Option<Texts>,
    /// Time over which the slots of one fire are spread, such as `10m`. Default: none.
    #[schemars(with = "String")]
    pub(super) spread: Option<Spanned<String>>,
    /// Policy for late fires: `once`, `skip` or `all`. Default: once.
    #[schemars(with = "String")]
    pub(super) misfire: Option<Spanned<String>>,
    /// Maximum age of a late fire, such as `6h`. Default: any age.
    #[schemars(with = "String")]
    pub(super) window: Option<Spanned<String>>,
    /// With `misfire = "all"`: maximum number of late fires. Default: 24.
    #[schemars(with = "i64")]
    pub(super) max_catchup: Option<Spanned<i64>>,
    /// Policy for a fire while an older slot of the same target is open: `skip` or `queue`.
    /// Default: skip; queue with `misfire = "all"`.
    #[schemars(with = "String")]
    pub(super) overlap: Option<Spanned<String>>,
    /// Kind `notes`: ids, links or share text.
    #[schemars(with = "Vec<String>")]
    pub(super) notes: Option<Texts>,
    /// Kind `notes`: a file with one entry per line, or a CSV file.
    #[schemars(with = "String")]
    pub(super) notes_file: Option<Spanned<String>>,
    /// Kind `keywords`: the keywords.
    #[schemars(with = "Vec<String>")]
    pub(super) keywords: Option<Texts>,
    /// Kind `keywords`: a file with one keyword per line, or a CSV file.
    #[schemars(with = "String")]
    pub(super) keywords_file: Option<Spanned<String>>,
    /// Kind `works`: ids, links or share text.
    #[schemars(with = "Vec<String>")]
    pub(super) urls: Option<Texts>,
    /// Kind `works`: a file with one entry per line, or a CSV file.
    #[schemars(with = "String")]
    pub(super) urls_file: Option<Spanned<String>>,
    /// Kind `kols`: the search filter, with upstream's parameter names. Required for this kind.
    #[schemars(schema_with = "super::schema::filter")]
    pub(super) filter: Option<Spanned<Pairs>>,
    /// Kind `kols`: maximum number of pages, 1 to 250. Default: 1.
    #[schemars(with = "i64")]
    pub(super) max_pages: Option<Spanned<i64>>,
}

/// `[health]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Health {
    /// Loopback address where `run` serves /healthz, /readyz and /metrics. Default: none.
    #[schemars(with = "String")]
    pub(super) listen: Option<Spanned<String>>,
}

/// `[[alert]]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct AlertEntry {
    /// Unique name. Default: its kind.
    #[schemars(with = "String")]
    pub(super) name: Option<Spanned<String>>,
    /// `generic`, `feishu`, `dingtalk` or `wecom`. Required.
    #[schemars(with = "String")]
    pub(super) kind: Option<Spanned<String>>,
    /// Environment variable with the address. This or `url_file` is required.
    #[schemars(with = "String")]
    pub(super) url_env: Option<Spanned<String>>,
    /// File with the address.
    #[schemars(with = "String")]
    pub(super) url_file: Option<Spanned<String>>,
    /// Kinds `feishu` and `dingtalk`: environment variable with the signing key.
    #[schemars(with = "String")]
    pub(super) sign_env: Option<Spanned<String>>,
    /// File with the signing key.
    #[schemars(with = "String")]
    pub(super) sign_file: Option<Spanned<String>>,
    /// Proxy on the way: `http://`, `https://`, `socks5://` or `socks5h://HOST:PORT`, without
    /// credentials. Default: none, whatever the environment says.
    #[schemars(with = "String")]
    pub(super) proxy: Option<Spanned<String>>,
    /// Environment variable with `user:password` of the proxy.
    #[schemars(with = "String")]
    pub(super) proxy_auth_env: Option<Spanned<String>>,
    /// File with `user:password` of the proxy.
    #[schemars(with = "String")]
    pub(super) proxy_auth_file: Option<Spanned<String>>,
    /// Conditions to report. Default: all.
    #[schemars(with = "Vec<String>")]
    pub(super) on: Option<Texts>,
    /// `zh` or `en`. Default: zh.
    #[schemars(with = "String")]
    pub(super) language: Option<Spanned<String>>,
    /// Consecutive fires without an observation that make a job silent. Default: 3.
    #[schemars(with = "i64")]
    pub(super) silent_after: Option<Spanned<i64>>,
}
