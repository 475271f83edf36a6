//! Trails and what became of their deliveries.

use crate::console::ask;
use crate::support::{TestServer, http, record};
use serde_json::json;

#[tokio::test]
async fn a_trail_says_what_it_delivers_where_and_what_waits() {
    let server = TestServer::start().await;
    assert_eq!(ask(&server, "trails").await, json!({"trails": []}));
    assert_eq!(ask(&server, "failing").await, json!({"failing": []}));
    let input = json!({"Name": "demo", "S3BucketName": "my-bucket", "S3KeyPrefix": "p",
        "EnableLogFileValidation": true, "IsMultiRegionTrail": true});
    server.ok("CreateTrail", input).await;
    server.ok("StartLogging", json!({"Name": "demo"})).await;
    server.import(&[record(1, "2026-11-22T05:00:00Z", "Change")]).await;
    let trail = ask(&server, "trails").await["trails"][0].clone();
    assert_eq!(
        trail,
        json!({
            "name": "demo", "arn": "arn:aws:cloudtrail:us-east-1:000000000000:trail/demo", "account": "000000000000",
            "region": "us-east-1", "logging": true, "started": 1_795_325_400, "stopped": null, "multi_region": true,
            "global_events": true, "bucket": "my-bucket", "prefix": "p", "topic": null, "log_group": null,
            "validation": true, "kms_key": null, "selectors": "Management events: all", "pending": 1,
            "next": 1_795_325_700,
            "last": {"s3": null, "sns": null, "logs": null, "digest": null, "webhook": null},
            "per_period": [], "files": [], "digests": []
        })
    );
    server.wait(60);
    server.flush().await;
    let trail = ask(&server, "trails?files=1").await["trails"][0].clone();
    assert_eq!((&trail["pending"], &trail["next"]), (&json!(0), &json!(null)));
    assert_eq!(trail["last"]["s3"], json!({"time": 1_795_325_460, "error": null}));
    assert_eq!(trail["per_period"], json!([1]));
    let file = &trail["files"][0];
    assert_eq!(
        (&file["events"], &file["error"], &file["state"]),
        (&json!(1), &json!(null), &json!("stored"))
    );
    assert!(
        file["key"].as_str().unwrap().starts_with("p/AWSLogs/000000000000/CloudTrail/us-east-1/2026/11/22/")
    );
    assert_eq!(trail["digests"][0]["state"], "stored");
}

#[tokio::test]
async fn a_trail_that_cannot_deliver_says_why_and_when_it_tries_again() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    server.import(&[record(1, "2026-11-22T05:00:00Z", "Change")]).await;
    for path in ["/AWSLogs/000000000000/CloudTrail/", ""] {
        let deleted = http().delete(format!("{}/my-bucket{path}", server.url)).send().await.unwrap();
        assert_eq!(deleted.status(), 204);
    }
    server.wait(300);
    server.step().await;
    let trail = ask(&server, "trails").await["trails"][0].clone();
    assert_eq!(trail["last"]["s3"]["error"], "NoSuchBucket");
    assert!((1_795_325_700..1_795_325_710).contains(&trail["next"].as_i64().unwrap()), "{trail}");
    let file = &trail["files"][0];
    assert_eq!(
        (&file["error"], &file["attempts"], &file["state"]),
        (&json!("NoSuchBucket"), &json!(1), &json!("waiting"))
    );
    let mut demo =
        json!({"name": "demo", "account": "000000000000", "region": "us-east-1", "deleted": false});
    assert_eq!(
        ask(&server, "failing").await,
        json!({"failing": [{"kind": "log_file", "account": "000000000000", "region": "us-east-1", "failures": 1,
            "error": "NoSuchBucket", "trail": demo.clone()}]})
    );
    // What a deleted trail had captured still waits, though the trail is not shown any more.
    server.ok("DeleteTrail", json!({"Name": "demo"})).await;
    demo["deleted"] = true.into();
    assert_eq!(ask(&server, "failing").await["failing"][0]["trail"], demo);
}
