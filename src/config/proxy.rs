//! `proxy` of a provider or an alert. Its credentials come from the environment or a file of their
//! own and appear in no message.

use toml::Spanned;
use url::Url;

use super::Reader;
use super::problems::Problem;
use crate::api::client::Proxy;

/// Accepted schemes; `socks5h` lets the proxy resolve names.
const SCHEMES: [&str; 4] = ["http", "https", "socks5", "socks5h"];

/// What an address looks like.
const HELP: &str = "such as \"http://proxy.example.com:3128\" or \"socks5://127.0.0.1:1080\"";

type Key = Option<Spanned<String>>;

impl Reader<'_> {
    /// The proxy of a section, if it names one. `is_encrypted`: it cannot read what passes.
    pub(super) fn proxy(
        &mut self,
        wire: &Key,
        auth_env: &Key,
        auth_file: &Key,
        is_encrypted: bool,
    ) -> Option<Proxy> {
        let secret = self
            .secret(("proxy_auth_env", auth_env.as_ref()), ("proxy_auth_file", auth_file.as_ref()));
        let Some(wire) = wire else {
            if let Some(key) = auth_env.as_ref().or(auth_file.as_ref()) {
                let problem = Problem::new("there is no `proxy` for these credentials", HELP);
                self.problem(key.span(), problem);
            }
            return None;
        };
        // The name itself is not shown: it may be the secret.
        if auth_env.is_some() && secret.is_none() {
            self.warnings.push(
                "the environment variable that `proxy_auth_env` names is not set: the proxy is asked \
                 without credentials"
                    .to_owned(),
            );
        }
        match address(wire.get_ref(), is_encrypted) {
            Ok(url) => Some(Proxy { url, auth: secret.map(|(_, auth)| auth) }),
            Err(problem) => {
                // Somebody may have written credentials into it.
                self.source.hide(wire.span());
                self.problem(wire.span(), problem);
                None
            }
        }
    }
}

fn address(text: &str, is_encrypted: bool) -> Result<Url, Problem> {
    let url = Url::parse(text).map_err(|_| Problem::new("invalid address of a proxy", HELP))?;
    if !SCHEMES.contains(&url.scheme()) || !url.has_host() {
        let title = format!("a proxy begins with {}", SCHEMES.join(", "));
        return Err(Problem::new(title, HELP));
    }
    if !url.username().is_empty() || url.password().is_some() {
        let help = "name what holds user:password with proxy_auth_env or proxy_auth_file";
        return Err(Problem::new("credentials do not belong in this file", help));
    }
    if !is_encrypted {
        let title = "a proxy would see the token or the address: it is plain http";
        return Err(Problem::new(title, "use https, or leave the proxy out"));
    }
    Ok(url)
}
