use crate::support::{TestServer, arn};
use aws_sdk_cloudtrail::types::Tag;
use serde_json::{Value, json};

/// A server with a trail `demo` that carries the tags `a`, `b` and `c`.
async fn server() -> TestServer {
    let server = TestServer::start().await;
    let tags = json!([{"Key": "a", "Value": "1"}, {"Key": "b"}, {"Key": "c", "Value": ""}]);
    let trail = json!({"Name": "demo", "S3BucketName": "my-bucket", "TagsList": tags});
    server.ok("CreateTrail", trail).await;
    server
}

/// What RemoveTags and AddTags are asked for the trail `demo`.
fn of_demo(tags: &Value) -> Value {
    json!({"ResourceId": arn("us-east-1", "demo"), "TagsList": tags})
}

#[tokio::test]
async fn the_sdk_takes_a_tag_away() {
    let server = server().await;
    let tag = Tag::builder().key("a").value("1").build().unwrap();
    server.sdk().remove_tags().resource_id(arn("us-east-1", "demo")).tags_list(tag).send().await.unwrap();
    assert_eq!(server.tags("demo").await, json!([{"Key": "b"}, {"Key": "c", "Value": ""}]));
}

#[tokio::test]
async fn the_key_alone_decides() {
    let server = server().await;
    let tags = json!([{"Key": "a"}, {"Key": "b", "Value": "wrong"}, {"Key": "unknown"}, {"Key": "C"}]);
    assert_eq!(server.ok("RemoveTags", of_demo(&tags)).await, json!({}));
    assert_eq!(server.tags("demo").await, json!([{"Key": "c", "Value": ""}]));
    server.ok("RemoveTags", of_demo(&json!([]))).await;
    assert_eq!(server.tags("demo").await, json!([{"Key": "c", "Value": ""}]));
}

#[tokio::test]
async fn what_was_removed_comes_back_at_the_end() {
    let server = server().await;
    server.ok("RemoveTags", of_demo(&json!([{"Key": "a"}]))).await;
    server.ok("AddTags", of_demo(&json!([{"Key": "a", "Value": "2"}]))).await;
    let want = json!([{"Key": "b"}, {"Key": "c", "Value": ""}, {"Key": "a", "Value": "2"}]);
    assert_eq!(server.tags("demo").await, want);
}

#[tokio::test]
async fn bad_tags_are_refused_and_all_stay() {
    let server = server().await;
    for (bad, why) in [
        (json!([{"Key": "a"}, {"Key": "a"}]), "Tag key \"a\" occurs more than once."),
        (json!([{"Key": "a"}, {}]), "Tag key must be between 1 and 128 characters long: \"\""),
        (json!(null), "TagsList is missing."),
    ] {
        let refused = server.refused("RemoveTags", of_demo(&bad)).await;
        assert_eq!(refused, format!("InvalidTagParameterException: {why}"));
    }
    assert_eq!(server.tags("demo").await.as_array().unwrap().len(), 3);
}
