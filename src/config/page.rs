//! The password of the page, from the environment or a file.

use std::net::SocketAddr;
use std::path::Path;

use secrecy::{ExposeSecret as _, SecretString};

use super::Environment;
use super::environment::read_secret_file;

/// The password of the page.
const PASSWORD: &str = "TIDEWATCH_PAGE_PASSWORD";

/// Path of a file with the password.
const PASSWORD_FILE: &str = "TIDEWATCH_PAGE_PASSWORD_FILE";

/// Minimum length in characters.
const SHORTEST: usize = 8;

/// Why the page is not served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PageRefused {
    /// Other machines could reach the page without a password.
    #[error(
        "the page is not served on {0} without a password because other machines could reach it: \
         set {PASSWORD}, or {PASSWORD_FILE} to the path of a file that holds it"
    )]
    NoPassword(SocketAddr),
    /// The password is too short or invalid.
    #[error("{0} must contain a password of at least {SHORTEST} characters in one line")]
    NoGood(&'static str),
    /// The file cannot be read.
    #[error("{0}")]
    NoFile(String),
}

impl Environment {
    /// The password of the page, if set; required if other machines can reach `address`. Errors do
    /// not show it.
    /// Says what is wrong with it, without showing it.
    pub fn page_password(&self, address: SocketAddr) -> Result<Option<SecretString>, PageRefused> {
        let named = |name| self.variables.get(name);
        let (name, text) = if let Some(text) = named(PASSWORD) {
            (PASSWORD, text.clone())
        } else if let Some(path) = named(PASSWORD_FILE) {
            let text = read_secret_file(PASSWORD_FILE, Path::new(path.expose_secret()));
            (PASSWORD_FILE, text.map_err(|problem| PageRefused::NoFile(problem.title))?)
        } else if address.ip().to_canonical().is_loopback() {
            return Ok(None);
        } else {
            return Err(PageRefused::NoPassword(address));
        };
        let password = text.expose_secret().trim_end_matches(['\r', '\n']);
        if password.chars().count() < SHORTEST || password.chars().any(char::is_control) {
            return Err(PageRefused::NoGood(name));
        }
        Ok(Some(password.to_owned().into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(variables: &[(&str, &str)], address: &str) -> Result<Option<String>, PageRefused> {
        let environment = Environment::of(variables.iter().copied());
        let password = environment.page_password(address.parse().expect("an address"))?;
        Ok(password.map(|password| password.expose_secret().to_owned()))
    }

    #[test]
    fn remote_address_requires_a_password() {
        let open: SocketAddr = "0.0.0.0:8080".parse().expect("an address");
        assert_eq!(password(&[], "127.0.0.1:8080"), Ok(None));
        assert_eq!(password(&[], "0.0.0.0:8080"), Err(PageRefused::NoPassword(open)));
        let given = [(PASSWORD, "correct horse")];
        for address in ["127.0.0.1:8080", "0.0.0.0:8080", "[::]:8080"] {
            assert_eq!(password(&given, address), Ok(Some("correct horse".into())));
        }
    }

    #[test]
    fn invalid_password_is_refused_and_not_shown() {
        for bad in ["", "short", "two\nlines of it"] {
            let error = password(&[(PASSWORD, bad)], "127.0.0.1:1").expect_err("no password");
            assert_eq!(error, PageRefused::NoGood(PASSWORD));
            assert!(bad.is_empty() || !error.to_string().contains(bad));
        }
    }

    #[test]
    fn password_is_read_from_a_file() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "correct horse\n").expect("written");
        let path = file.path().to_string_lossy().into_owned();
        let given = password(&[(PASSWORD_FILE, path.as_str())], "0.0.0.0:1");
        assert_eq!(given, Ok(Some("correct horse".into())));
        assert!(matches!(
            password(&[(PASSWORD_FILE, "/none")], "0.0.0.0:1"),
            Err(PageRefused::NoFile(_))
        ));
    }
}
