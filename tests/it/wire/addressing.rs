//! How calls name a trail, the same for every operation on one that is there.

use crate::support::{TestServer, arn};
use serde_json::json;

const OPERATIONS: [&str; 5] = ["UpdateTrail", "GetTrailStatus", "StartLogging", "StopLogging", "DeleteTrail"];

#[tokio::test]
async fn a_trail_is_named_by_its_name_or_by_its_arn() {
    let server = TestServer::start().await;
    for name in ["demo", &arn("us-east-1", "demo")] {
        server.create_in("us-east-1", "demo", false).await;
        for operation in OPERATIONS {
            server.ok(operation, json!({"Name": name})).await;
        }
        assert_eq!(
            server.ok("DescribeTrails", json!({})).await,
            json!({"trailList": []}),
            "deleted by {name}"
        );
    }
}

#[tokio::test]
async fn an_unknown_trail_is_named_by_its_arn() {
    let server = TestServer::start().await;
    server.create_in("us-east-1", "demo", false).await;
    for operation in OPERATIONS {
        for name in ["Demo", &arn("us-east-1", "Demo")] {
            assert_eq!(
                server.refused(operation, json!({"Name": name})).await,
                "TrailNotFoundException: Unknown trail: arn:aws:cloudtrail:us-east-1:000000000000:trail/Demo \
                 for the user: 000000000000",
                "{operation}"
            );
        }
    }
}

#[tokio::test]
async fn the_sdk_knows_the_code_of_an_unknown_trail() {
    let server = TestServer::start().await;
    let sdk = server.sdk();
    let update = sdk.update_trail().name("demo").send().await.unwrap_err().into_service_error();
    assert!(update.is_trail_not_found_exception(), "{update:?}");
    let delete = sdk.delete_trail().name("demo").send().await.unwrap_err().into_service_error();
    assert!(delete.is_trail_not_found_exception(), "{delete:?}");
    let status = sdk.get_trail_status().name("demo").send().await.unwrap_err().into_service_error();
    assert!(status.is_trail_not_found_exception(), "{status:?}");
    let start = sdk.start_logging().name("demo").send().await.unwrap_err().into_service_error();
    assert!(start.is_trail_not_found_exception(), "{start:?}");
    let stop = sdk.stop_logging().name("demo").send().await.unwrap_err().into_service_error();
    assert!(stop.is_trail_not_found_exception(), "{stop:?}");
}

#[tokio::test]
async fn names_that_no_trail_can_have_are_refused_as_such() {
    let server = TestServer::start().await;
    for operation in OPERATIONS {
        for input in [json!({}), json!({"Name": ""}), json!({"Name": "  "}), json!({"Name": null})] {
            let refused = server.refused(operation, input).await;
            assert_eq!(refused, "InvalidTrailNameException: Trail name cannot be blank!", "{operation}");
        }
        for (name, text) in [
            ("trail!", "Trail name must ends with a letter or number."),
            (
                "ab",
                "Trail name too short. Minimum allowed length: 3 characters. Specified name length: 2 characters.",
            ),
            (
                &arn("us-east-1", "ab"),
                "Trail name too short. Minimum allowed length: 3 characters. Specified name length: 2 characters.",
            ),
        ] {
            let refused = server.refused(operation, json!({"Name": name})).await;
            assert_eq!(refused, format!("InvalidTrailNameException: {text}"), "{operation}");
        }
    }
}

#[tokio::test]
async fn what_is_not_a_trails_arn_is_refused() {
    let server = TestServer::start().await;
    for operation in OPERATIONS {
        for arn in [
            "arn:aws:cloudtrail",
            "arn:aws:s3:::my-bucket",
            "arn:aws:cloudtrail:us-east-1:000000000000:channel/demo",
            "arn:aws:cloudtrail:us-east-1:0000:trail/demo",
            "arn:aws-cn:cloudtrail:us-east-1:000000000000:trail/demo",
        ] {
            let refused = server.refused(operation, json!({"Name": arn})).await;
            assert_eq!(refused, format!("CloudTrailARNInvalidException: Trail ARN is not valid: {arn}"));
        }
    }
}

#[tokio::test]
async fn another_accounts_trail_cannot_be_reached() {
    let server = TestServer::start().await;
    server.create_in("us-east-1", "demo", false).await;
    for operation in OPERATIONS {
        let call =
            |name: String| server.call_as("111122223333", "us-east-1", operation, json!({"Name": name}));
        let by_name = call("demo".to_owned()).await.error();
        assert_eq!(by_name.0, "TrailNotFoundException", "{operation}");
        assert!(by_name.1.ends_with("111122223333:trail/demo for the user: 111122223333"), "{}", by_name.1);
        let by_arn = call(arn("us-east-1", "demo")).await.error();
        assert_eq!(by_arn.0, "CloudTrailARNInvalidException", "{operation}");
        assert_eq!(
            by_arn.1,
            "AccountID in ARN is wrong, you can only access resources with AccountID 111122223333."
        );
    }
    assert_eq!(server.trail_names("us-east-1", json!({})).await, ["demo"]);
}
