//! Trails of one region and of all, and trails that change from one to the other.

use super::{delivered, delivering_to};
use crate::support::fakes::FakeAws;
use crate::support::{TestServer, arn, record};
use serde_json::{Value, json};

/// An event of a region.
fn event(id: u32, region: &str) -> Value {
    let mut event = record(id, "2026-11-22T05:29:00Z", "RunInstances");
    event["awsRegion"] = json!(region);
    event
}

async fn widen(server: &TestServer, is_multi_region: bool) {
    server.ok("UpdateTrail", json!({"Name": "demo", "IsMultiRegionTrail": is_multi_region})).await;
}

#[tokio::test]
async fn a_trail_takes_events_of_all_regions_for_as_long_as_it_is_one_of_all() {
    let aws = FakeAws::start().await;
    let server = delivering_to(&aws, json!({})).await;
    server.import(&[event(1, "us-east-1"), event(2, "eu-west-1")]).await;
    widen(&server, true).await;
    server.import(&[event(3, "us-east-1"), event(4, "eu-west-1"), event(5, "ap-south-1")]).await;
    // What it has taken is delivered all the same.
    widen(&server, false).await;
    server.import(&[event(6, "us-east-1"), event(7, "eu-west-1")]).await;
    server.flush().await;
    let mut found = delivered(&aws);
    found.sort_unstable();
    assert_eq!(found, ["i-1", "i-3", "i-4", "i-5", "i-6"]);
}

#[tokio::test]
async fn each_region_has_the_status_of_its_own_deliveries() {
    let aws = FakeAws::start().await;
    let server = delivering_to(&aws, json!({"IsMultiRegionTrail": true})).await;
    let status = async |region: &str| {
        server.ok_in(region, "GetTrailStatus", json!({"Name": arn("us-east-1", "demo")})).await
    };
    // So that what is asked below is no event of the trail's.
    let writes = json!({"TrailName": "demo", "EventSelectors": [{"ReadWriteType": "WriteOnly"}]});
    server.ok("PutEventSelectors", writes).await;
    server.flush().await;
    let began = server.clock.now().timestamp();
    server.wait(60);
    server.import(&[event(1, "eu-west-1")]).await;
    server.flush().await;
    let (home, shadow) = (status("us-east-1").await, status("eu-west-1").await);
    assert_eq!(
        (&home["IsLogging"], &home["StartLoggingTime"]),
        (&shadow["IsLogging"], &shadow["StartLoggingTime"])
    );
    assert_eq!(
        (&home["LatestDeliveryTime"], &shadow["LatestDeliveryTime"]),
        (&json!(began), &json!(began + 60))
    );
    aws.fail("s3", "AccessDenied");
    server.import(&[event(2, "ap-south-1")]).await;
    server.flush().await;
    assert_eq!(status("ap-south-1").await["LatestDeliveryError"], "AccessDenied");
    assert_eq!(status("eu-west-1").await.get("LatestDeliveryError"), None);
    assert_eq!(status("us-east-1").await.get("LatestDeliveryError"), None);
}
