//! What is left on the account of a provider.

use serde::Deserialize;

/// What is left on an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balance {
    /// In millionths of the currency; negative where the account owes.
    pub micros: i64,
    /// Its currency, such as `CNY`.
    pub currency: String,
}

#[derive(Deserialize)]
struct Wire {
    code: i64,
    message: Option<String>,
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    /// A decimal number as text.
    balance: Text,
    currency: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Text(String),
    Number(serde_json::Number),
}

impl Balance {
    /// The balance in an answer; otherwise why there is none.
    pub fn read(body: &[u8]) -> Result<Self, String> {
        let wire: Wire =
            serde_json::from_slice(body).map_err(|_| "the answer was not understood".to_owned())?;
        let said = wire.message.unwrap_or_default();
        let data = wire.data.filter(|_| wire.code == 0);
        let data = data.ok_or_else(|| format!("code {}: {said}", wire.code))?;
        let text = match data.balance {
            Text::Text(text) => text,
            Text::Number(number) => number.to_string(),
        };
        let micros = micros(text.trim()).ok_or("the balance is not a number")?;
        Ok(Self { micros, currency: data.currency.unwrap_or_else(|| "CNY".to_owned()) })
    }
}

/// A decimal number in millionths, without digits beyond them.
fn micros(text: &str) -> Option<i64> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let are_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !are_digits(whole) || !are_digits(fraction) {
        return None;
    }
    let fraction: String = fraction.chars().chain("000000".chars()).take(6).collect();
    format!("{whole}{fraction}").parse::<i64>().ok().map(|micros| sign * micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balance_is_read_exactly_and_a_refusal_says_why() {
        let read = |body: &str| Balance::read(body.as_bytes());
        let cny = |micros| Ok(Balance { micros, currency: "CNY".to_owned() });
        let body = r#"{"code":0,"message":"ok","data":{"balance":"12.3400009","currency":"CNY"}}"#;
        assert_eq!(read(body), cny(12_340_000));
        assert_eq!(read(r#"{"code":0,"data":{"balance":-0.5}}"#), cny(-500_000));
        assert_eq!(read(r#"{"code":100,"message":"no"}"#), Err("code 100: no".to_owned()));
        for body in ["<html>", r#"{"code":0,"data":{"balance":"much"}}"#, r#"{"code":0}"#] {
            assert!(read(body).is_err(), "{body}");
        }
    }
}
