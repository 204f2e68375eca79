//! The bodies of an amagi server, which wraps Douyin's answers: one form a range of versions.

use serde_json::{Value, json};

/// Which versions of amagi are imitated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Amagi {
    /// 4.5 to 6.x: asked by `aweme_id`; `{success, code: 200, message, data, requestPath}`.
    #[default]
    Current,
    /// 4.1 to 4.4: asked by `aweme_id`; the platform's own JSON.
    Bare,
    /// 3.2 to 4.0: asked by `url`; `{code: 200, message, data}`.
    Old,
}

impl Amagi {
    /// The parameter that these versions read.
    pub(super) fn parameter(self) -> &'static str {
        match self {
            Self::Current | Self::Bare => "aweme_id",
            Self::Old => "url",
        }
    }

    /// The body around the platform's answer, and its code where it has one.
    pub(super) fn success(self, data: Value, target: &str) -> (Value, Option<i64>) {
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

    /// The body when the platform gave nothing; `description` says why, where it is known.
    /// HTTP status 200 all the same.
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

    /// The body when the parameter is missing; HTTP status 400.
    pub(super) fn refusal(self, target: &str) -> Value {
        json!({ "code": 400, "message": "参数验证失败", "data": null, "requestPath": target,
            "errors": [{ "field": self.parameter(), "message": "视频ID必须是字符串" }] })
    }
}
