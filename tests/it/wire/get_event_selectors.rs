use crate::support::{TestServer, arn};
use serde_json::json;

#[tokio::test]
async fn a_trail_without_selectors_of_its_own_takes_all_management_events() {
    let server = TestServer::start().await;
    server.create_in("us-east-1", "demo", false).await;
    insta::assert_json_snapshot!(server.ok("GetEventSelectors", json!({"TrailName": "demo"})).await, @r#"
    {
      "TrailARN": "arn:aws:cloudtrail:us-east-1:000000000000:trail/demo",
      "EventSelectors": [
        {
          "ReadWriteType": "All",
          "IncludeManagementEvents": true,
          "DataResources": [],
          "ExcludeManagementEventSources": []
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn the_sdk_reads_them_of_a_shadow_by_its_arn() {
    let server = TestServer::start().await;
    server.create_in("us-east-1", "wide", true).await;
    let sdk = server.sdk_as("test", "eu-west-1");
    let found = sdk.get_event_selectors().trail_name(arn("us-east-1", "wide")).send().await.unwrap();
    assert_eq!(found.trail_arn().unwrap(), arn("us-east-1", "wide"));
    assert_eq!(found.event_selectors()[0].include_management_events(), Some(true));
    assert!(found.advanced_event_selectors().is_empty());
    let error = sdk.get_event_selectors().trail_name("wide").send().await.unwrap_err().into_service_error();
    assert_eq!(
        error.meta().message().unwrap(),
        "Unknown trail: arn:aws:cloudtrail:eu-west-1:000000000000:trail/wide for the user: 000000000000"
    );
}

#[tokio::test]
async fn without_a_name_it_is_refused() {
    let server = TestServer::start().await;
    assert_eq!(
        server.refused("GetEventSelectors", json!({})).await,
        "InvalidTrailNameException: Trail name cannot be blank!"
    );
}
