//! Calls that must be answered, and calls that must be refused.

use super::TestServer;
use serde_json::Value;

impl TestServer {
    /// The answer to a call of the default account in us-east-1.
    pub(crate) async fn ok(&self, operation: &str, input: Value) -> Value {
        self.ok_in("us-east-1", operation, input).await
    }

    /// The answer to a call of the default account in a region.
    pub(crate) async fn ok_in(&self, region: &str, operation: &str, input: Value) -> Value {
        let reply = self.call_as("test", region, operation, input).await;
        assert_eq!(reply.status, 200, "{operation}: {}", reply.text);
        reply.json()
    }

    /// Why a call of the default account in us-east-1 is refused, as `Code: text`.
    pub(crate) async fn refused(&self, operation: &str, input: Value) -> String {
        self.refused_in("us-east-1", operation, input).await
    }

    /// Why a call of the default account in a region is refused, as `Code: text`.
    pub(crate) async fn refused_in(&self, region: &str, operation: &str, input: Value) -> String {
        let reply = self.call_as("test", region, operation, input).await;
        let (code, text) = reply.error();
        assert_eq!((reply.status, reply.header("x-amzn-errortype")), (400, code.as_str()), "{}", reply.text);
        assert_eq!(reply.json(), serde_json::json!({"__type": code, "Message": text}));
        format!("{code}: {text}")
    }

    /// A new trail of the default account.
    pub(crate) async fn create_in(&self, region: &str, name: &str, is_multi_region: bool) {
        let trail = serde_json::json!({"Name": name, "S3BucketName": "my-bucket", "IsMultiRegionTrail": is_multi_region});
        self.ok_in(region, "CreateTrail", trail).await;
    }

    /// The tags of a trail of the default account in us-east-1.
    pub(crate) async fn tags(&self, name: &str) -> Value {
        let asked = serde_json::json!({"ResourceIdList": [arn("us-east-1", name)]});
        self.ok("ListTags", asked).await["ResourceTagList"][0]["TagsList"].clone()
    }

    /// The names of the default account's trails as DescribeTrails shows them in a region.
    pub(crate) async fn trail_names(&self, region: &str, input: Value) -> Vec<String> {
        let described = self.ok_in(region, "DescribeTrails", input).await;
        let trails = described["trailList"].as_array().unwrap();
        trails.iter().map(|trail| trail["Name"].as_str().unwrap().to_owned()).collect()
    }
}

/// The ARN of a trail of the default account.
pub(crate) fn arn(region: &str, name: &str) -> String {
    format!("arn:aws:cloudtrail:{region}:{}:trail/{name}", super::ACCOUNT)
}
