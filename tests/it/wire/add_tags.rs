use crate::support::{TestServer, arn};
use aws_sdk_cloudtrail::types::Tag;
use serde_json::{Value, json};

/// A server with a trail `demo`.
async fn server() -> TestServer {
    let server = TestServer::start().await;
    server.create_in("us-east-1", "demo", false).await;
    server
}

/// AddTags for the trail `demo`.
fn adding(tags: &Value) -> Value {
    json!({"ResourceId": arn("us-east-1", "demo"), "TagsList": tags})
}

/// As many tags as that, with keys that begin with `name`.
fn tags(name: &str, count: usize) -> Value {
    (0..count).map(|number| json!({"Key": format!("{name}{number}"), "Value": "v"})).collect()
}

#[tokio::test]
async fn the_sdk_tags_a_trail() {
    let server = server().await;
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build().unwrap();
    let call = server.sdk().add_tags().resource_id(arn("us-east-1", "demo"));
    call.tags_list(tag("team", "a")).tags_list(tag("stage", "")).send().await.unwrap();
    assert_eq!(
        server.tags("demo").await,
        json!([{"Key": "team", "Value": "a"}, {"Key": "stage", "Value": ""}])
    );
}

#[tokio::test]
async fn a_known_key_gets_the_new_value_and_keeps_its_place() {
    let server = server().await;
    server.ok("AddTags", adding(&json!([{"Key": "a", "Value": "1"}, {"Key": "b"}]))).await;
    let more =
        json!([{"Key": "c", "Value": "3"}, {"Key": "a", "Value": "2"}, {"Key": "A", "Value": "other"}]);
    assert_eq!(server.ok("AddTags", adding(&more)).await, json!({}));
    assert_eq!(
        server.tags("demo").await,
        json!([
            {"Key": "a", "Value": "2"}, {"Key": "b"}, {"Key": "c", "Value": "3"}, {"Key": "A", "Value": "other"}
        ])
    );
}

#[tokio::test]
async fn a_trail_carries_at_most_fifty() {
    let server = server().await;
    server.ok("AddTags", adding(&tags("k", 49))).await;
    let full = "TagsLimitExceededException: A trail can have at most 50 tags.";
    assert_eq!(server.refused("AddTags", adding(&tags("new", 2))).await, full);
    assert_eq!(server.tags("demo").await, tags("k", 49), "nothing of a refused call stays");
    server.ok("AddTags", adding(&tags("new", 1))).await;
    server.ok("AddTags", adding(&tags("k", 49))).await;
    assert_eq!(server.refused("AddTags", adding(&tags("more", 1))).await, full);
    assert_eq!(server.refused("AddTags", adding(&tags("k", 200))).await, full);
}

#[tokio::test]
async fn bad_tags_are_refused_and_an_empty_list_changes_nothing() {
    let server = server().await;
    server.ok("AddTags", adding(&json!([]))).await;
    for (bad, why) in [
        (json!([{"Value": "v"}]), "Tag key must be between 1 and 128 characters long: \"\""),
        (json!([{"Key": "k"}, {"Key": "k", "Value": "v"}]), "Tag key \"k\" occurs more than once."),
        (json!([{"Key": "aws:k"}]), "Tag key \"aws:k\" uses the reserved prefix aws:."),
        (json!(null), "TagsList is missing."),
    ] {
        let refused = server.refused("AddTags", adding(&bad)).await;
        assert_eq!(refused, format!("InvalidTagParameterException: {why}"));
    }
    assert_eq!(server.tags("demo").await, json!([]));
}

#[tokio::test]
async fn only_a_trail_at_home_in_the_region_is_tagged_and_only_by_its_arn() {
    let server = server().await;
    server.create_in("eu-west-1", "wide", true).await;
    for operation in ["AddTags", "RemoveTags"] {
        for (resource_id, why) in [
            (Value::Null, "CloudTrailARNInvalidException: No ARN was given."),
            (json!("demo"), "CloudTrailARNInvalidException: Trail ARN is not valid: demo"),
            (
                json!(arn("eu-west-1", "wide")),
                "CloudTrailARNInvalidException: Region in ARN is wrong, you can only access resources in region \
                 us-east-1.",
            ),
            (
                json!("arn:aws:cloudtrail:us-east-1:111122223333:trail/demo"),
                "CloudTrailARNInvalidException: AccountID in ARN is wrong, you can only access resources with \
                 AccountID 000000000000.",
            ),
            (
                json!(arn("us-east-1", "wide")),
                "ResourceNotFoundException: Resource not found: \
                 arn:aws:cloudtrail:us-east-1:000000000000:trail/wide",
            ),
            (
                json!("arn:aws:cloudtrail:us-east-1:000000000000:eventdatastore/e"),
                "ResourceNotFoundException: Resource not found: \
                 arn:aws:cloudtrail:us-east-1:000000000000:eventdatastore/e",
            ),
            (
                json!("arn:aws:cloudtrail:us-east-1:000000000000:import/i"),
                "ResourceTypeNotSupportedException: Resources of this type cannot have tags: \
                 arn:aws:cloudtrail:us-east-1:000000000000:import/i",
            ),
            (
                json!(arn("us-east-1", "x")),
                "InvalidTrailNameException: Trail name too short. Minimum allowed length: 3 characters. Specified \
                 name length: 1 characters.",
            ),
        ] {
            let input = json!({"ResourceId": resource_id, "TagsList": [{"Key": "k", "Value": "v"}]});
            assert_eq!(server.refused(operation, input).await, why, "{operation}");
        }
    }
}

#[tokio::test]
async fn a_lookup_finds_the_call_by_the_arn_that_was_tagged() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    let demo = arn("us-east-1", "demo");
    server.ok("AddTags", adding(&json!([{"Key": "k"}]))).await;
    let by_name = json!({"LookupAttributes": [{"AttributeKey": "ResourceName", "AttributeValue": demo}]});
    let found = server.ok("LookupEvents", by_name).await;
    let named: Vec<_> =
        found["Events"].as_array().unwrap().iter().map(|e| (&e["EventName"], &e["Resources"])).collect();
    assert_eq!(named, [(&json!("AddTags"), &json!([{"ResourceName": demo}]))]);
}
