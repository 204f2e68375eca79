//! `[[alert]]`, resolved. A webhook address is a credential: it comes from the environment or a
//! file of its own and appears in no message.

use secrecy::{ExposeSecret as _, SecretString};
use toml::Spanned;
use toml::de::DeValue;
use url::Url;

use super::Reader;
use super::environment::read_secret_file;
use super::problems::{Problem, quoted};
use super::provider::is_this_machine;
use super::secrets;
use super::section::{self, Section};
use super::wire::{AlertEntry, Texts};
use crate::api::client::Proxy;
use crate::model::named::named;
use crate::suggest;

/// Default number of consecutive fires without an observation that make a job silent.
pub(super) const SILENT_AFTER: u32 = 3;

/// Maximum of that number.
pub(super) const MOST_SILENT_AFTER: u32 = 1000;

/// Message languages in `jobs.toml`.
pub(super) const LANGUAGES: [&str; 2] = ["zh", "en"];

/// Maximum length of a name in characters.
const LONGEST_NAME: usize = 64;

/// Webhook kinds in `jobs.toml`.
pub(super) const WEBHOOKS: [(&str, Webhook); 4] = [
    ("generic", Webhook::Generic),
    ("feishu", Webhook::Feishu),
    ("dingtalk", Webhook::DingTalk),
    ("wecom", Webhook::WeCom),
];

/// A receiver of alerts.
#[derive(Clone, Debug)]
pub struct Alert {
    /// Its unique name, the key of its send records.
    pub name: String,
    /// Its message format.
    pub webhook: Webhook,
    /// Its address; `None` while its variable is unset. Cannot be printed.
    pub url: Option<SecretString>,
    /// Key that signs its messages.
    pub sign: Option<SecretString>,
    /// The proxy on the way, if any.
    pub proxy: Option<Proxy>,
    /// Conditions it receives.
    pub on: Vec<Condition>,
    /// Language of its messages.
    pub language: Language,
    /// Consecutive fires without an observation that make a job silent.
    pub silent_after: u32,
}

/// Message format of a receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Webhook {
    /// Plain JSON; any 2xx answer counts as received.
    Generic,
    /// 飞书 and Lark.
    Feishu,
    /// 钉钉.
    DingTalk,
    /// 企业微信.
    WeCom,
}

/// Language of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// 中文.
    Chinese,
    /// English.
    English,
}

named! {
    /// Conditions that raise an alert.
    Condition {
        /// A provider is paused, or denies an endpoint.
        Stopped = "stopped",
        /// A budget limit is nearly reached.
        Budget = "budget",
        /// The balance of a provider's account is low.
        Balance = "balance",
        /// Consecutive fires of a job had no observation.
        Silent = "silent",
        /// An item is gone.
        Gone = "gone",
        /// Upstream rejects requests for an item.
        Refused = "refused",
        /// Paid answers about an item are not understood.
        Unreadable = "unreadable",
    }
}

/// The environment variables of alerts' addresses are unset.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}: set the environment variables that `url_env` names")]
pub struct AlertUrlMissing(String);

impl super::Config {
    /// Checks that every alert has its address; for commands that send alerts.
    pub fn require_alert_urls(&self) -> Result<(), AlertUrlMissing> {
        let missing = self.alerts.iter().filter(|alert| alert.url.is_none());
        let missing: Vec<_> =
            missing.map(|alert| format!("the alert {} has no address", alert.name)).collect();
        if missing.is_empty() { Ok(()) } else { Err(AlertUrlMissing(missing.join(", "))) }
    }
}

impl Reader<'_> {
    pub(super) fn alerts(&mut self, value: Option<Spanned<DeValue<'_>>>) -> Vec<Alert> {
        let Some(value) = value else { return Vec::new() };
        let span = value.span();
        let DeValue::Array(entries) = value.into_inner() else {
            let help = "write `[[alert]]`, in double brackets, above the keys of each alert";
            self.problem(span, Problem::new("alerts must be a list", help));
            return Vec::new();
        };
        let mut alerts: Vec<Alert> = Vec::new();
        for entry in entries {
            let span = entry.span();
            self.hide_places(entry.get_ref());
            let Some(alert) = self.alert(entry) else { continue };
            if alerts.iter().any(|other| other.name == alert.name) {
                let title = format!("duplicate alert name {}", quoted(&alert.name));
                let help = "give each a `name` of its own; without one its kind is its name";
                self.problem(span, Problem::new(title, help));
            }
            alerts.push(alert);
        }
        alerts
    }

    /// Hides the lines of an alert that say, or were to say, where its secrets are.
    fn hide_places(&mut self, entry: &DeValue<'_>) {
        let DeValue::Table(table) = entry else { return };
        for (key, value) in table.iter().filter(|(key, _)| secrets::is_place(key.get_ref())) {
            self.source.hide(key.span().start..value.span().end.max(key.span().end));
        }
    }

    fn alert(&mut self, entry: Spanned<DeValue<'_>>) -> Option<Alert> {
        let Section { value: wire, broken, span }: Section<AlertEntry> =
            section::read(entry, &misplaced, &self.source, &mut self.problems);
        if wire.kind.is_none() && !broken.contains("kind") {
            let help = format!("kind = {}", choices());
            self.problem(span.clone(), Problem::new("the alert has no `kind`", help));
        }
        let names = WEBHOOKS.map(|(name, _)| name);
        let kind = self.choice(Some(wire.kind.as_ref()?), &names, "generic");
        let webhook = WEBHOOKS.iter().find(|(name, _)| *name == kind)?.1;
        let name = wire.name.as_ref().map_or(kind, |name| name.get_ref().as_str()).to_owned();
        if name.is_empty() || name.chars().count() > LONGEST_NAME {
            let at = wire.name.as_ref().map_or(span.clone(), Spanned::span);
            let help = format!("1 to {LONGEST_NAME} characters");
            self.problem(at, Problem::new("invalid alert name", help));
        }
        if wire.url_env.is_none() && wire.url_file.is_none() {
            let help = "url_env = \"NAME\" of an environment variable, or url_file = \"path\"";
            self.problem(span, Problem::new("the alert has no address", help));
        }
        let url =
            self.secret(("url_env", wire.url_env.as_ref()), ("url_file", wire.url_file.as_ref()));
        let url = url.and_then(|(at, url)| self.address(&at, url));
        let is_https = url.as_ref().is_none_or(|url| url.expose_secret().starts_with("https:"));
        let sign = self
            .secret(("sign_env", wire.sign_env.as_ref()), ("sign_file", wire.sign_file.as_ref()));
        self.signing(webhook, &wire, sign.is_some());
        let language = match self.choice(wire.language.as_ref(), &LANGUAGES, "zh") {
            "en" => Language::English,
            _ => Language::Chinese,
        };
        Some(Alert {
            name,
            webhook,
            url,
            sign: sign.map(|(_, sign)| sign),
            proxy: self.proxy(&wire.proxy, &wire.proxy_auth_env, &wire.proxy_auth_file, is_https),
            on: self.conditions(wire.on.as_ref()),
            language,
            silent_after: self.number(&wire.silent_after, SILENT_AFTER, MOST_SILENT_AFTER),
        })
    }

    /// A secret from the named variable or file, and the place that names it.
    pub(super) fn secret(
        &mut self,
        (env_key, variable): (&str, Option<&Spanned<String>>),
        (file_key, file): (&str, Option<&Spanned<String>>),
    ) -> Option<(Spanned<()>, SecretString)> {
        if let (Some(_), Some(file)) = (variable, file) {
            let title = format!("`{env_key}` and `{file_key}` are both set");
            self.problem(file.span(), Problem::new(title, "keep one of them"));
        }
        let given = [(env_key, variable), (file_key, file)].into_iter();
        let mut given = given.filter_map(|(key, value)| Some((key, value?)));
        if let Some((key, value)) = given.find(|(_, value)| value.get_ref().contains("://")) {
            // Without quotes, whose contents are not shown beside a secret.
            let title = format!("{key} holds an address, which is a credential");
            let help = format!(
                "put it into an environment variable and name that with {env_key}, or into a \
                 file and name that with {file_key}; an address that was shared with this file \
                 should be replaced"
            );
            self.problem(value.span(), Problem::new(title, help));
            return None;
        }
        if let Some(name) = variable.filter(|name| !is_variable(name.get_ref())) {
            // Somebody may have written the secret itself.
            self.source.hide(name.span());
            let title = format!("{env_key} is not the name of an environment variable");
            let help = format!("{env_key} = \"NAME\", and the secret in the variable NAME");
            self.problem(name.span(), Problem::new(title, help));
            return None;
        }
        let (at, text) = match (variable, file) {
            (Some(name), _) => {
                (name.span(), self.environment.variables.get(name.get_ref().as_str())?.clone())
            }
            (None, Some(file)) => {
                let path = self.directory.join(file.get_ref());
                self.problems.files.push(path.clone());
                match read_secret_file(file_key, &path) {
                    Ok(text) => (file.span(), text),
                    Err(problem) => {
                        self.problem(file.span(), problem);
                        return None;
                    }
                }
            }
            (None, None) => return None,
        };
        let trimmed = text.expose_secret().trim();
        if trimmed.is_empty() {
            let help = "write the secret there, or remove this line";
            self.problem(at, Problem::new("the secret named here is empty", help));
            return None;
        }
        Some((Spanned::new(at, ()), SecretString::from(trimmed.to_owned())))
    }

    /// The address if messages may be sent to it. It appears in no message.
    fn address(&mut self, at: &Spanned<()>, text: SecretString) -> Option<SecretString> {
        let url = Url::parse(text.expose_secret()).ok();
        let host = url.as_ref().and_then(Url::host_str);
        let title = match url.as_ref().map(|url| (url.scheme(), is_this_machine(url))) {
            Some(("https", _) | ("http", true)) if host.is_some() => return Some(text),
            Some(("http", _)) => "the address is plain http to another machine: use https",
            _ => "the secret named here is not a webhook address",
        };
        let help = "the address as the group's robot shows it, https://…";
        self.problem(at.span(), Problem::new(title, help));
        None
    }

    /// Checks that a signing key is set and usable.
    fn signing(&mut self, webhook: Webhook, wire: &AlertEntry, there: bool) {
        let Some(named) = wire.sign_env.as_ref().or(wire.sign_file.as_ref()) else { return };
        if !matches!(webhook, Webhook::Feishu | Webhook::DingTalk) {
            let help = "only feishu and dingtalk sign messages; remove this line";
            self.problem(named.span(), Problem::new("this kind signs no messages", help));
        } else if wire.sign_env.is_some() && !there {
            self.warnings.push(format!(
                "the environment variable that `sign_env` names is not set: alerts to {} are not \
                 signed",
                quoted(wire.kind.as_ref().map_or("", |kind| kind.get_ref()))
            ));
        }
    }

    fn conditions(&mut self, wire: Option<&Texts>) -> Vec<Condition> {
        let Some(wire) = wire else { return Condition::ALL.to_vec() };
        let names = || Condition::ALL.into_iter().map(Condition::as_str);
        let mut conditions = Vec::new();
        for text in wire {
            match Condition::parse(text.get_ref()) {
                Some(condition) => conditions.push(condition),
                None => {
                    let title = format!("unknown condition {}", quoted(text.get_ref()));
                    let help = suggest::nearest(text.get_ref(), names()).map_or_else(
                        || format!("the conditions are {}", names().collect::<Vec<_>>().join(", ")),
                        |near| format!("did you mean \"{near}\"?"),
                    );
                    self.problem(text.span(), Problem::new(title, help));
                }
            }
        }
        conditions
    }
}

/// Whether a text can be the name of an environment variable.
fn is_variable(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn choices() -> String {
    WEBHOOKS.map(|(name, _)| format!("\"{name}\"")).join(" | ")
}

/// Hints for keys that people try.
fn misplaced(key: &str) -> Option<Problem> {
    let help = match key {
        "url" | "webhook" => {
            "the address is a credential: put it into an environment variable or a file, and name \
             that with `url_env` or `url_file`"
        }
        "sign" => "name what holds it with `sign_env` or `sign_file`",
        _ => return None,
    };
    Some(Problem::new(format!("unknown key {}", quoted(key)), help))
}
