//! GetInsightSelectors and PutInsightSelectors.

use crate::support::{TestServer, arn};
use serde_json::json;

fn both() -> serde_json::Value {
    json!([{"InsightType": "ApiErrorRateInsight"}, {"InsightType": "ApiCallRateInsight", "EventCategories": ["Management"]}])
}

#[tokio::test]
async fn a_trail_looks_for_what_it_was_told_until_it_is_told_otherwise() {
    let server = TestServer::start().await;
    server.create_in("us-east-1", "demo", true).await;
    let off = format!(
        "InsightNotEnabledException: Trail {} does not have Insights enabled. Edit the trail settings to enable \
         Insights, and then try the operation again.",
        arn("us-east-1", "demo")
    );
    assert_eq!(server.refused("GetInsightSelectors", json!({"TrailName": "demo"})).await, off);
    let put =
        server.ok("PutInsightSelectors", json!({"TrailName": "demo", "InsightSelectors": both()})).await;
    assert_eq!(put, json!({"TrailARN": arn("us-east-1", "demo"), "InsightSelectors": both()}));
    server.ok("StopLogging", json!({"Name": "demo"})).await;
    let server = server.restart_with(&[]).await;
    assert_eq!(server.ok("GetInsightSelectors", json!({"TrailName": "demo"})).await, put);
    let shadow = json!({"TrailName": arn("us-east-1", "demo")});
    assert_eq!(server.call_as("test", "eu-west-1", "GetInsightSelectors", shadow).await.json(), put);
    let has =
        async || server.ok("GetTrail", json!({"Name": "demo"})).await["Trail"]["HasInsightSelectors"].clone();
    assert_eq!(has().await, true);
    let emptied =
        server.ok("PutInsightSelectors", json!({"TrailName": "demo", "InsightSelectors": []})).await;
    assert_eq!(emptied["InsightSelectors"], json!([]));
    assert_eq!(server.refused("GetInsightSelectors", json!({"TrailName": "demo"})).await, off);
    assert_eq!(has().await, false);
}

#[tokio::test]
async fn what_a_trail_does_not_log_it_cannot_look_at() {
    let server = TestServer::start().await;
    server.create_in("us-east-1", "demo", false).await;
    let reads = json!({"TrailName": "demo", "EventSelectors": [{"ReadWriteType": "ReadOnly"}]});
    server.ok("PutEventSelectors", reads).await;
    assert_eq!(
        server.refused("PutInsightSelectors", json!({"TrailName": "demo", "InsightSelectors": both()})).await,
        "InvalidInsightSelectorsException: To log ApiCallRateInsight for Management events, the trail must log write \
         management events."
    );
    let errors = json!({"TrailName": "demo", "InsightSelectors": [{"InsightType": "ApiErrorRateInsight"}]});
    server.ok("PutInsightSelectors", errors).await;
}

#[tokio::test]
async fn calls_name_a_trail_that_is_at_home_here() {
    let server = TestServer::start().await;
    server.create_in("us-east-1", "demo", true).await;
    for (asked, want) in [
        (
            json!({"InsightSelectors": []}),
            "InvalidParameterCombinationException: Specify either TrailName or EventDataStore.",
        ),
        (
            json!({"TrailName": "demo", "EventDataStore": "e-1", "InsightSelectors": []}),
            "InvalidParameterCombinationException: Specify either TrailName or EventDataStore.",
        ),
        (
            json!({"EventDataStore": "e-1", "InsightsDestination": "e-2", "InsightSelectors": []}),
            "UnsupportedOperationException: Contrail does not support event data stores yet; specify TrailName.",
        ),
        (
            json!({"TrailName": "demo", "InsightsDestination": "e-1", "InsightSelectors": []}),
            "InvalidParameterCombinationException: InsightsDestination can be specified with EventDataStore only.",
        ),
        (json!({"TrailName": "demo"}), "InvalidInsightSelectorsException: InsightSelectors is required."),
    ] {
        assert_eq!(server.refused("PutInsightSelectors", asked).await, want);
    }
    let asked = json!({"TrailName": arn("us-east-1", "demo"), "InsightSelectors": both()});
    let elsewhere = server.call_as("test", "eu-west-1", "PutInsightSelectors", asked).await;
    assert_eq!(elsewhere.code(), "InvalidHomeRegionException");
}
