use crate::support::{TestServer, arn};
use serde_json::{Value, json};

#[tokio::test]
async fn tags_given_at_creation_are_listed() {
    let server = TestServer::start().await;
    let trail = json!({"Name": "demo", "S3BucketName": "my-bucket", "TagsList": [{"Key": "b"}, {"Key": "a", "Value": ""}]});
    server.ok("CreateTrail", trail).await;
    insta::assert_json_snapshot!(
        server.ok("ListTags", json!({"ResourceIdList": [arn("us-east-1", "demo")]})).await,
        @r#"
    {
      "ResourceTagList": [
        {
          "ResourceId": "arn:aws:cloudtrail:us-east-1:000000000000:trail/demo",
          "TagsList": [
            {
              "Key": "b"
            },
            {
              "Key": "a",
              "Value": ""
            }
          ]
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn each_trail_asked_for_is_answered_once_in_the_order_of_the_question() {
    let server = TestServer::start().await;
    for name in ["first", "second"] {
        server.create_in("us-east-1", name, false).await;
    }
    let (first, second) = (arn("us-east-1", "first"), arn("us-east-1", "second"));
    server.ok("AddTags", json!({"ResourceId": first, "TagsList": [{"Key": "k", "Value": "v"}]})).await;
    let asked = json!({"ResourceIdList": [second, first, second], "NextToken": "reserved"});
    assert_eq!(
        server.ok("ListTags", asked).await,
        json!({"ResourceTagList": [
            {"ResourceId": second, "TagsList": []},
            {"ResourceId": first, "TagsList": [{"Key": "k", "Value": "v"}]},
        ]})
    );
    let sdk = server.sdk().list_tags().resource_id_list(first).send().await.unwrap();
    assert_eq!(sdk.resource_tag_list()[0].tags_list()[0].key(), "k");
}

#[tokio::test]
async fn one_arn_that_cannot_be_answered_refuses_the_call() {
    let server = TestServer::start().await;
    server.create_in("us-east-1", "demo", false).await;
    server.create_in("eu-west-1", "wide", true).await;
    for (arn_asked, code) in [
        (json!("demo"), "CloudTrailARNInvalidException"),
        (json!(arn("eu-west-1", "wide")), "CloudTrailARNInvalidException"),
        (json!("arn:aws:cloudtrail:us-east-1:111122223333:trail/demo"), "CloudTrailARNInvalidException"),
        (json!("arn:aws:s3:::demo"), "CloudTrailARNInvalidException"),
        (json!(arn("us-east-1", "unknown")), "ResourceNotFoundException"),
        (json!(7), "SerializationException"),
    ] {
        let asked = json!({"ResourceIdList": [arn("us-east-1", "demo"), arn_asked]});
        assert_eq!(server.call("ListTags", asked).await.code(), code, "{arn_asked}");
    }
    let wide = json!({"ResourceIdList": [arn("eu-west-1", "wide")]});
    assert_eq!(
        server.ok_in("eu-west-1", "ListTags", wide).await["ResourceTagList"][0]["TagsList"],
        json!([])
    );
}

#[tokio::test]
async fn one_to_twenty_arns_are_asked_for() {
    let server = TestServer::start().await;
    server.create_in("us-east-1", "demo", false).await;
    let asked = |count: usize| -> Value { json!({"ResourceIdList": vec![arn("us-east-1", "demo"); count]}) };
    assert_eq!(server.ok("ListTags", asked(20)).await["ResourceTagList"].as_array().unwrap().len(), 1);
    assert_eq!(
        server.refused("ListTags", asked(21)).await,
        "InvalidParameterException: ResourceIdList can hold at most 20 ARNs, and 21 were given."
    );
    for none in [asked(0), json!({})] {
        assert_eq!(
            server.refused("ListTags", none).await,
            "CloudTrailARNInvalidException: No ARN was given."
        );
    }
}
