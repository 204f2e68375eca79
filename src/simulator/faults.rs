//! Rules for injecting faults, in a small language.
//!
//! ```text
//! rules    = rule, one a line or separated by ";"; a line starting with "//" is a comment
//! rule     = endpoint ["@" calls] ["#" key] "=" choice {"," choice}
//! endpoint = note | suggestions | kols | work | amagi | note-link | work-link | balance | "*"
//! calls    = N | N "-" M | N "-"          which calls with the same key, counted from 1
//! choice   = fault [":" rate]             rate from 0 to 1; without one, always
//! fault    = 100 | 101 | 201 | 202 | 300 | 301 | 302 | 303 | 400 | 404 | 500 | 503 | 600 | 601
//!          | 602 | empty | gone | wrong-id | not-json | cut | drop | transport | slow:MS | huge
//!          | nul | surrogate | dup | echo-token | redirect | risk | dead-cookie | http:STATUS
//! ```
//!
//! `note=301:0.1,drop:0.01` fails a tenth of the note calls with code 301 and a hundredth without
//! an answer; `work@2-4=503` fails the second to fourth call for each work;
//! `suggestions@1#美食=empty` the first call for one keyword. The first rule that matches a call
//! decides. A rate depends only on the seed, the endpoint, the key and the number of the call, so
//! the same calls meet the same faults in any order.

use std::ops::RangeInclusive;
use std::str::FromStr;

use super::fault::Fault;
use super::rng::Rng;
use super::route::Endpoint;

/// Rates are stored in millionths.
const MILLION: i64 = 1_000_000;

/// The rules for injecting faults. Without rules there are none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    endpoint: Option<Endpoint>,
    calls: RangeInclusive<u64>,
    key: Option<String>,
    choices: Vec<(Fault, i64)>,
}

impl Faults {
    /// The fault of the `nth` call (from 1) for `key`, if any.
    pub(super) fn fault_of(
        &self,
        seed: u64,
        endpoint: Endpoint,
        key: &str,
        nth: u64,
    ) -> Option<Fault> {
        let names = |rule: &&Rule| {
            rule.endpoint.is_none_or(|named| named == endpoint)
                && rule.calls.contains(&nth)
                && rule.key.as_deref().is_none_or(|named| named == key)
        };
        let rule = self.rules.iter().find(names)?;
        let mut rng = Rng::of(seed, &["fault", endpoint.as_str(), key, &nth.to_string()]);
        let mut drawn = rng.between(0, MILLION - 1);
        for (fault, rate) in &rule.choices {
            if drawn < *rate {
                return Some(*fault).filter(|fault| *fault != Fault::None);
            }
            drawn -= rate;
        }
        None
    }
}

impl FromStr for Faults {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rules = text
            .split([';', '\n'])
            .map(str::trim)
            .filter(|rule| !rule.is_empty() && !rule.starts_with("//"))
            .map(Rule::parse)
            .collect::<Result<_, _>>()?;
        Ok(Self { rules })
    }
}

impl Rule {
    fn parse(text: &str) -> Result<Self, String> {
        // A key may be a link that contains "="; faults contain none.
        let (target, choices) = text
            .rsplit_once('=')
            .ok_or_else(|| format!("fault rule {text:?} lacks \"=\", as in note=301:0.1"))?;
        let wrong = |why: String| format!("fault rule {text:?}: {why}");
        let (target, key) = match target.split_once('#') {
            Some((target, key)) => (target, Some(key.trim().to_owned())),
            None => (target, None),
        };
        let (name, calls) = match target.split_once('@') {
            Some((name, calls)) => (name, parse_calls(calls).map_err(wrong)?),
            None => (target, 1..=u64::MAX),
        };
        let endpoint = parse_endpoint(name.trim()).map_err(wrong)?;
        let choices: Vec<_> = choices
            .split(',')
            .map(|choice| parse_choice(choice.trim()))
            .collect::<Result<_, _>>()
            .map_err(wrong)?;
        if choices.iter().map(|(_, rate)| rate).sum::<i64>() > MILLION {
            return Err(wrong("the rates add up to more than 1".to_owned()));
        }
        Ok(Self { endpoint, calls, key, choices })
    }
}

fn parse_endpoint(name: &str) -> Result<Option<Endpoint>, String> {
    if name == "*" {
        return Ok(None);
    }
    Endpoint::parse(name).map(Some).ok_or_else(|| {
        let names = Endpoint::ALL.map(Endpoint::as_str).join(", ");
        format!("unknown endpoint {name:?}; known: {names} and *")
    })
}

fn parse_calls(text: &str) -> Result<RangeInclusive<u64>, String> {
    let (first, last) = match text.trim().split_once('-') {
        None => (text.trim(), text.trim()),
        Some((first, "")) => (first, "18446744073709551615"),
        Some(both) => both,
    };
    match (first.parse(), last.parse()) {
        (Ok(first), Ok(last)) if 1 <= first && first <= last => Ok(first..=last),
        _ => Err(format!("{text:?} is not a range of calls such as 3, 3-5 or 3-, counted from 1")),
    }
}

fn parse_choice(text: &str) -> Result<(Fault, i64), String> {
    if let Ok(fault) = text.parse() {
        return Ok((fault, MILLION));
    }
    let Some((fault, rate)) = text.rsplit_once(':').filter(|(fault, _)| *fault != "slow") else {
        return text.parse().map(|fault| (fault, MILLION));
    };
    let fault = fault.parse()?;
    let rate = parse_rate(rate).ok_or_else(|| format!("{rate:?} is not a rate from 0 to 1"))?;
    Ok((fault, rate))
}

/// A decimal from 0 to 1, in millionths.
fn parse_rate(text: &str) -> Option<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.len() <= 6 && text.bytes().all(|byte| byte.is_ascii_digit());
    if text.is_empty() || !digits(part) || !digits(whole) {
        return None;
    }
    let rate: i64 = format!("{whole:0>1}{part:0<6}").parse().ok()?;
    (rate <= MILLION).then_some(rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Faults {
        text.parse().unwrap()
    }

    #[test]
    fn rate_hits_its_share_and_always_the_same_calls() {
        let faults = faults("note=301:0.1,transport:0.01");
        let fault_of = |nth| faults.fault_of(1, Endpoint::Note, "x", nth);
        let count = |fault| (1..=10_000).filter(|nth| fault_of(*nth) == Some(fault)).count();
        assert!((850..1150).contains(&count(Fault::Code(301))));
        assert!((60..140).contains(&count(Fault::Drop)));
        assert_eq!(fault_of(77), fault_of(77));
        assert_eq!(faults.fault_of(1, Endpoint::Work, "x", 1), None);
    }

    #[test]
    fn rule_selects_calls_and_keys() {
        let faults = faults(
            "work@2-3=503\n// why not\nsuggestions@1#美食=empty; note-link#http://a/?b=c=drop",
        );
        let work = |nth| faults.fault_of(1, Endpoint::Work, "x", nth);
        assert_eq!(
            [1, 2, 3, 4].map(work),
            [None, Some(Fault::Code(503)), Some(Fault::Code(503)), None]
        );
        let suggestions = |key, nth| faults.fault_of(1, Endpoint::Suggestions, key, nth);
        assert_eq!(suggestions("美食", 1), Some(Fault::Empty));
        assert_eq!(suggestions("美食", 2), None);
        assert_eq!(suggestions("露营", 1), None);
        assert_eq!(faults.fault_of(1, Endpoint::NoteLink, "http://a/?b=c", 9), Some(Fault::Drop));
    }

    #[test]
    fn first_matching_rule_decides() {
        let faults = faults("note#good=none; *=slow:20:0.5,601:0.5");
        assert_eq!(faults.fault_of(1, Endpoint::Note, "good", 1), None);
        let fault = faults.fault_of(1, Endpoint::Note, "bad", 1);
        assert!(matches!(fault, Some(Fault::Slow(20) | Fault::Code(601))));
    }

    #[test]
    fn invalid_rule_error_names_the_mistake() {
        let error = |text: &str| text.parse::<Faults>().unwrap_err();
        assert!(error("note").contains("lacks"));
        assert!(error("notes=301").contains("unknown endpoint \"notes\""));
        assert!(error("note=999").contains("unknown fault \"999\""));
        assert!(error("note=301:2").contains("not a rate"));
        assert!(error("note=301:0.6,302:0.6").contains("more than 1"));
        assert!(error("note@0=301").contains("not a range of calls"));
        assert!(error("note=slow:x").contains("milliseconds"));
    }
}
