//! Detection of secrets in `jobs.toml`, where they are refused.

/// A key that contains one of these, ignoring case and separators, holds a secret.
const SECRET_PARTS: [&str; 7] =
    ["token", "secret", "passw", "credential", "authorization", "apikey", "bearer"];

/// A key equal to one of these holds a secret.
const SECRET_NAMES: [&str; 5] = ["key", "auth", "pwd", "pass", "accesskey"];

/// Keys that name where a secret is. People write the secret itself there.
const PLACES: [&str; 6] = ["url", "urlenv", "urlfile", "sign", "signenv", "signfile"];

/// Whether what stands at a key of `[[alert]]` is never shown: it says where a secret is, or the
/// key is a misspelling.
pub(super) fn is_place(key: &str) -> bool {
    !["name", "kind", "on", "language", "silent_after"].contains(&key)
}

/// Whether a key looks like the name of a secret.
pub(super) fn is_name(key: &str) -> bool {
    let folded: String =
        key.chars().filter(char::is_ascii_alphanumeric).take(64).collect::<String>().to_lowercase();
    let nearly = |name| strsim::damerau_levenshtein(&folded, name) <= 1;
    SECRET_PARTS.iter().any(|part| folded.contains(part))
        || SECRET_NAMES.contains(&folded.as_str())
        || ["token", "apikey"].into_iter().any(nearly)
}

/// Whether lines may contain a secret. The `xsec_token` of a note's link is not a secret.
pub(super) fn mentioned(line: &str) -> bool {
    let lower = line.to_lowercase().replace("xsec_token", "");
    let folded: String = lower.chars().filter(|c| !matches!(c, '_' | '-' | ' ' | '.')).collect();
    SECRET_PARTS.iter().any(|part| folded.contains(part))
        || lower.split(['=', ':', ',', '{', '.', '\n']).any(|key| is_name(key) || names_place(key))
        // A webhook address is a credential.
        || lower.contains("hook")
}

/// Whether a key is one of [`PLACES`], also misspelt. `urls` and `urls_file` are lists of works.
fn names_place(key: &str) -> bool {
    let folded: String = key.chars().filter(char::is_ascii_alphabetic).take(16).collect();
    let nearly = |place: &&str| place.len() > 4 && strsim::damerau_levenshtein(&folded, place) <= 1;
    PLACES.contains(&&*folded) || (folded != "urlsfile" && PLACES.iter().any(nearly))
}

#[cfg(test)]
mod tests {
    use super::{is_name, mentioned};

    #[test]
    fn secret_names_are_detected_in_any_spelling() {
        for key in [
            "token",
            "Token",
            "api_key",
            "apiKey",
            "JUSTONEAPI_TOKEN",
            "tokn",
            "toekn",
            "key",
            "password",
        ] {
            assert!(is_name(key), "{key}");
        }
        for key in ["keywords", "keyword", "keywords_file", "notes", "timezone", "name", "kind"] {
            assert!(!is_name(key), "{key}");
        }
    }

    #[test]
    fn lines_with_possible_secrets_are_detected() {
        for line in [
            "token='x",
            "url_file = 'x'",
            "  sign_evn = 'x'",
            "{ url = 'x' }",
            "  api-key = 1",
            "{ tokn = \"x\"",
            "Authorization: Bearer x",
            "key = 1",
        ] {
            assert!(mentioned(line), "{line}");
        }
        for line in [
            "keywords = [\"a\"]",
            "urls_file = \"a\"",
            "urls = [\"a\"]",
            "https://www.xiaohongshu.com/explore/1?xsec_token=A",
            "schedule = \"* * * * *\"",
        ] {
            assert!(!mentioned(line), "{line}");
        }
    }
}
