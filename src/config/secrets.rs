//! Detection of secrets in `jobs.toml`, where they are refused.

/// A key that contains one of these, ignoring case and separators, holds a secret.
const SECRET_PARTS: [&str; 7] =
    ["token", "secret", "passw", "credential", "authorization", "apikey", "bearer"];

/// A key equal to one of these holds a secret.
const SECRET_NAMES: [&str; 5] = ["key", "auth", "pwd", "pass", "accesskey"];

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
        || lower.split(['=', ':', ',', '{', '.', '\n']).any(is_name)
        // A webhook address is a credential.
        || lower.contains("hook")
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
        for line in
            ["token='x", "  api-key = 1", "{ tokn = \"x\"", "Authorization: Bearer x", "key = 1"]
        {
            assert!(mentioned(line), "{line}");
        }
        for line in [
            "keywords = [\"a\"]",
            "https://www.xiaohongshu.com/explore/1?xsec_token=A",
            "schedule = \"* * * * *\"",
        ] {
            assert!(!mentioned(line), "{line}");
        }
    }
}
