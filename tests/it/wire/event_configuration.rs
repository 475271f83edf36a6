//! GetEventConfiguration and PutEventConfiguration.

use crate::support::{TestServer, arn};
use serde_json::json;

#[tokio::test]
async fn a_trail_keeps_how_it_sums_events_up() {
    let server = TestServer::start().await;
    server.create_in("us-east-1", "demo", false).await;
    let get =
        async |server: &TestServer| server.ok("GetEventConfiguration", json!({"TrailName": "demo"})).await;
    let none = json!({"TrailARN": arn("us-east-1", "demo"), "AggregationConfigurations": []});
    assert_eq!(get(&server).await, none);
    let wanted = json!([{"Templates": ["API_ACTIVITY", "USER_ACTIONS"], "EventCategory": "Data"}]);
    let asked = json!({"TrailName": "demo", "AggregationConfigurations": wanted});
    let put = server.ok("PutEventConfiguration", asked).await;
    assert_eq!(put, json!({"TrailARN": arn("us-east-1", "demo"), "AggregationConfigurations": wanted}));
    let server = server.restart_with(&[]).await;
    assert_eq!(get(&server).await, put);
    server.ok("PutEventConfiguration", json!({"TrailName": "demo", "AggregationConfigurations": []})).await;
    assert_eq!(get(&server).await, none);
}

#[tokio::test]
async fn what_is_not_for_trails_or_breaks_a_rule_is_refused() {
    let server = TestServer::start().await;
    server.create_in("us-east-1", "demo", false).await;
    for (asked, code) in [
        (json!({"TrailName": "demo"}), "InvalidParameterCombinationException"),
        (json!({"TrailName": "demo", "MaxEventSize": "Large"}), "InvalidParameterCombinationException"),
        (
            json!({"TrailName": "demo", "ContextKeySelectors": [{"Type": "TagContext", "Equals": ["team"]}]}),
            "InvalidParameterCombinationException",
        ),
        (json!({"AggregationConfigurations": []}), "InvalidParameterCombinationException"),
        (json!({"EventDataStore": "e-1", "MaxEventSize": "Large"}), "UnsupportedOperationException"),
        (json!({"TrailName": "demo", "AggregationConfigurations": [{}]}), "InvalidParameterException"),
        (json!({"TrailName": "other", "AggregationConfigurations": []}), "TrailNotFoundException"),
    ] {
        assert_eq!(server.call("PutEventConfiguration", asked.clone()).await.code(), code, "{asked}");
    }
    let other = server.call("GetEventConfiguration", json!({"EventDataStore": "e-1"})).await;
    assert_eq!(other.code(), "UnsupportedOperationException");
}
