//! The environment: secrets, and JustOneAPI's address.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::problems::{Problem, Problems};

/// The token of JustOneAPI.
const TOKEN: &str = "JUSTONEAPI_TOKEN";

/// Path of a file with the token.
const TOKEN_FILE: &str = "JUSTONEAPI_TOKEN_FILE";

/// JustOneAPI's address.
pub(super) const BASE_URL: &str = "JUSTONEAPI_BASE_URL";

/// Maximum size of a file with a secret, in bytes; larger files are a mistake.
const LONGEST_SECRET_FILE: u64 = 4096;

/// The environment, read once.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// `JUSTONEAPI_TOKEN`.
    pub token: Option<SecretString>,
    /// `JUSTONEAPI_TOKEN_FILE`, read when the settings are loaded. `JUSTONEAPI_TOKEN` wins.
    pub token_file: Option<PathBuf>,
    /// `JUSTONEAPI_BASE_URL`; overrides `base_url` in `jobs.toml`.
    pub base_url: Option<String>,
    /// All variables by name: `[[alert]]` names those with its secrets.
    pub variables: BTreeMap<String, SecretString>,
}

impl Environment {
    /// The environment of this process.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub fn read() -> Self {
        let text = |name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
        Self {
            token: text(TOKEN).map(SecretString::from),
            token_file: std::env::var_os(TOKEN_FILE).map(PathBuf::from),
            base_url: text(BASE_URL),
            variables: std::env::vars_os()
                .filter_map(|(name, value)| {
                    Some((name.into_string().ok()?, value.into_string().ok()?.into()))
                })
                .collect(),
        }
    }

    /// The same without what only calls need.
    pub fn without_calls(self) -> Self {
        Self { token: None, token_file: None, base_url: None, variables: self.variables }
    }

    /// The token, if set. Errors do not show it.
    pub(super) fn token(
        &self,
        problems: &mut Problems,
        warnings: &mut Vec<String>,
    ) -> Option<SecretString> {
        use secrecy::ExposeSecret;
        let (name, text) = match (&self.token, &self.token_file) {
            (Some(token), file) => {
                if file.is_some() {
                    warnings
                        .push(format!("{TOKEN} and {TOKEN_FILE} are both set; {TOKEN} is used"));
                }
                (TOKEN, token.clone())
            }
            (None, Some(file)) => match read_secret_file(TOKEN_FILE, file) {
                Ok(token) => (TOKEN_FILE, token),
                Err(problem) => {
                    problems.anywhere(problem);
                    return None;
                }
            },
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
    let shown = path.display();
    if path.as_os_str().is_empty() {
        let help = "set it to the path of the file that holds the secret, or unset it";
        return Err(Problem::new(format!("{name} is empty"), help));
    }
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(LONGEST_SECRET_FILE + 1).read_to_string(&mut text))
        .map_err(|error| {
            let title = format!("{name}: cannot read {shown}: {error}");
            Problem::new(title, "the file must contain only the secret")
        })?;
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > LONGEST_SECRET_FILE {
        let title = format!("{name}: {shown} is too long for a secret");
        return Err(Problem::new(title, "the file must contain only the secret"));
    }
    Ok(SecretString::from(text))
}
