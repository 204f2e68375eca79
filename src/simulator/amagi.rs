//! Response bodies of an amagi server, which wraps Douyin's answers; one form per range of
//! versions.

use serde_json::{Number, Value, json};

/// The range of amagi versions to imitate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Amagi {
    /// 4.5 to 6.x: called with `aweme_id`; `{success, code: 200, message, data, requestPath}`.
    #[default]
    Current,
    /// 4.1 to 4.4: called with `aweme_id`; the platform's own JSON.
    Bare,
    /// 3.2 to 4.0: called with `url`; `{code: 200, message, data}`.
    Old,
}

impl Amagi {
    /// The query parameter these versions read.
    pub(super) fn parameter(self) -> &'static str {
        match self {
            Self::Current | Self::Bare => "aweme_id",
            Self::Old => "url",
        }
    }

    /// The body around the platform's answer, and its code if it has one.
    pub(super) fn success(self, data: Value, target: &str) -> (Value, Option<i64>) {
        let data = rewritten(data);
        match self {
            Self::Current => (
                json!({ "success": true, "code": 200, "message": "获取成功", "data": data,
                    "requestPath": target }),
                Some(200),
            ),
            Self::Bare => (data, None),
            Self::Old => (json!({ "code": 200, "message": "success", "data": data }), Some(200)),
        }
    }

    /// The body of a failed call, sent with HTTP status 200; `description` is the reason if known.
    pub(super) fn failure(self, message: &str, description: Option<&str>, target: &str) -> Value {
        let mut body = match self {
            Self::Current | Self::Bare => json!({ "success": false, "code": 500,
                "message": message, "requestPath": target }),
            Self::Old => json!({ "code": 500, "message": message, "data": null }),
        };
        if let (Some(description), Self::Current) = (description, self) {
            body["error"] = json!({ "errorDescription": description, "requestType": "聚合解析",
                "requestUrl": "https://www.douyin.com/aweme/v1/web/aweme/detail/?device_platform=webapp&aid=6383" });
        }
        body
    }

    /// The body for a missing parameter, sent with HTTP status 400.
    pub(super) fn refusal(self, target: &str) -> Value {
        json!({ "code": 400, "message": "参数验证失败", "data": null, "requestPath": target,
            "errors": [{ "field": self.parameter(), "message": "视频ID必须是字符串" }] })
    }
}

/// A document after JavaScript has read and written it: every number is a float, so integers beyond
/// 2^53 are rounded and `63.0` becomes `63`.
fn rewritten(value: Value) -> Value {
    match value {
        Value::Number(number) => Value::Number(rounded(number)),
        Value::Array(values) => values.into_iter().map(rewritten).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(name, value)| (name, rewritten(value))).collect()
        }
        other => other,
    }
}

fn rounded(number: Number) -> Number {
    let written = number.as_f64().map(|number| number.to_string());
    written.and_then(|text| text.parse::<i64>().ok()).map_or(number, Number::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_as_javascript_does() {
        let data = json!({ "id": 7_601_234_567_890_123_456_i64, "in": [9_007_199_254_740_992_i64,
            63.0, 1.5, -7, 0], "text": "7601234567890123456", "none": null });
        let written = json!({ "id": 7_601_234_567_890_124_000_i64, "in": [9_007_199_254_740_992_i64,
            63, 1.5, -7, 0], "text": "7601234567890123456", "none": null });
        assert_eq!(Amagi::Bare.success(data, "").0, written);
    }
}
