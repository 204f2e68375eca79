//! The environment: secrets, and the addresses of providers.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};

use super::problems::{Problem, Problems};
use crate::api::Provider;

/// Suffix of the variable with a provider's token.
const TOKEN: &str = "TOKEN";

/// Suffix of the variable with the path of a file with the token. The token itself wins.
const TOKEN_FILE: &str = "TOKEN_FILE";

/// Suffix of the variable with a provider's address; overrides `base_url` in `jobs.toml`.
pub(super) const BASE_URL: &str = "BASE_URL";

/// Maximum size of a file with a secret, in bytes; larger files are a mistake.
const LONGEST_SECRET_FILE: u64 = 4096;

/// The environment, read once.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// All variables by name: those of providers, and those that `[[alert]]` names.
    pub(super) variables: BTreeMap<String, SecretString>,
}

impl Environment {
    /// The environment of this process.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub fn read() -> Self {
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        Self::of(std::env::vars_os().map(|(name, value)| (text(name), text(value))))
    }

    /// These variables.
    pub fn of(variables: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>) -> Self {
        let variables = variables.into_iter();
        let secret = |value: String| SecretString::from(value);
        Self {
            variables: variables.map(|(name, value)| (name.into(), secret(value.into()))).collect(),
        }
    }

    /// The same without what only calls need.
    pub fn without_calls(mut self) -> Self {
        for (provider, suffix) in Provider::ALL
            .into_iter()
            .flat_map(|provider| [TOKEN, TOKEN_FILE, BASE_URL].map(|suffix| (provider, suffix)))
        {
            self.variables.remove(&provider.variable(suffix));
        }
        self
    }

    /// The variable of a provider, with its name.
    fn variable(&self, provider: Provider, suffix: &str) -> Option<(String, &SecretString)> {
        let name = provider.variable(suffix);
        self.variables.get(&name).map(|value| (name, value))
    }

    /// A provider's address, with the name of the variable.
    pub(super) fn base_url(&self, provider: Provider) -> Option<(String, &str)> {
        let (name, value) = self.variable(provider, BASE_URL)?;
        Some((name, value.expose_secret()))
    }

    /// The files with tokens.
    pub(super) fn token_files(&self) -> impl Iterator<Item = PathBuf> {
        let files = Provider::ALL.into_iter().filter_map(|it| self.variable(it, TOKEN_FILE));
        files.map(|(_, path)| PathBuf::from(path.expose_secret()))
    }

    /// A provider's token, if set. Errors do not show it.
    pub(super) fn token(
        &self,
        provider: Provider,
        problems: &mut Problems,
        warnings: &mut Vec<String>,
    ) -> Option<SecretString> {
        if provider.profile().token.is_none() {
            let set = [TOKEN, TOKEN_FILE].map(|suffix| self.variable(provider, suffix));
            for (name, _) in set.into_iter().flatten() {
                let title = provider.profile().title;
                warnings.push(format!("{name} is not used: {title} takes no token"));
            }
            return None;
        }
        let file = self.variable(provider, TOKEN_FILE);
        let (name, text) = match (self.variable(provider, TOKEN), file) {
            (Some((name, token)), file) => {
                if let Some((file, _)) = file {
                    warnings.push(format!("{name} and {file} are both set; {name} is used"));
                }
                (name, token.clone())
            }
            (None, Some((name, path))) => {
                match read_secret_file(&name, Path::new(path.expose_secret())) {
                    Ok(token) => (name, token),
                    Err(problem) => {
                        problems.anywhere(problem);
                        return None;
                    }
                }
            }
            (None, None) => return None,
        };
        let trimmed = text.expose_secret().trim();
        let problem = if trimmed.is_empty() {
            Problem::new(format!("{name} is empty"), "set it to the token, or unset it")
        } else if !trimmed.bytes().all(|byte| byte.is_ascii_graphic()) {
            let help = "a token is one word of ASCII letters, digits and signs";
            Problem::new(format!("{name} does not contain a valid token"), help)
        } else {
            return Some(SecretString::from(trimmed.to_owned()));
        };
        problems.anywhere(problem);
        None
    }
}

/// The content of a file that holds one secret; `name` is the variable or key that names it.
pub(super) fn read_secret_file(name: &str, path: &Path) -> Result<SecretString, Problem> {
    if path.as_os_str().is_empty() {
        let help = "set it to the path of the file that holds the secret, or unset it";
        return Err(Problem::new(format!("{name} is empty"), help));
    }
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(LONGEST_SECRET_FILE + 1).read_to_string(&mut text))
        .map_err(|error| {
            // What stands there may be the secret itself.
            let title = format!("{name}: cannot read the file that it names: {error}");
            Problem::new(title, "set it to the path of a file that contains only the secret")
        })?;
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > LONGEST_SECRET_FILE {
        let title = format!("{name}: the file that it names is too long for a secret");
        return Err(Problem::new(title, "the file must contain only the secret"));
    }
    Ok(SecretString::from(text))
}
