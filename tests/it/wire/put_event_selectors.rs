use crate::support::{ACCOUNT, TestServer, arn};
use serde_json::{Value, json};

fn management_and_objects() -> Value {
    json!([
        {"Name": "", "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]},
        {"Name": "objects", "FieldSelectors": [
            {"Field": "eventCategory", "Equals": ["Data"]},
            {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
            {"Field": "resources.ARN", "StartsWith": ["arn:aws:s3:::b-1/"], "NotEndsWith": [".tmp"]}
        ]}
    ])
}

#[tokio::test]
async fn selectors_are_answered_as_they_are_stored_with_defaults_filled_in() {
    let server = TestServer::start().await;
    server.create_in("us-east-1", "demo", false).await;
    let asked = json!({"TrailName": "demo", "EventSelectors": [
        {"ReadWriteType": "WriteOnly", "ExcludeManagementEventSources": ["kms.amazonaws.com"]},
        {"IncludeManagementEvents": false, "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::"]}]}
    ]});
    let put = server.ok("PutEventSelectors", asked).await;
    insta::assert_json_snapshot!(put, @r#"
    {
      "TrailARN": "arn:aws:cloudtrail:us-east-1:000000000000:trail/demo",
      "EventSelectors": [
        {
          "ReadWriteType": "WriteOnly",
          "IncludeManagementEvents": true,
          "DataResources": [],
          "ExcludeManagementEventSources": [
            "kms.amazonaws.com"
          ]
        },
        {
          "ReadWriteType": "All",
          "IncludeManagementEvents": false,
          "DataResources": [
            {
              "Type": "AWS::S3::Object",
              "Values": [
                "arn:aws:s3:::"
              ]
            }
          ],
          "ExcludeManagementEventSources": []
        }
      ]
    }
    "#);
    assert_eq!(server.ok("GetEventSelectors", json!({"TrailName": "demo"})).await, put);
    let again = json!({"TrailName": arn("us-east-1", "demo"), "EventSelectors": put["EventSelectors"]});
    assert_eq!(server.ok("PutEventSelectors", again).await, put, "what is answered can be put");
}

#[tokio::test]
async fn one_kind_of_selectors_replaces_the_other() {
    let server = TestServer::start().await;
    server.create_in("us-east-1", "demo", false).await;
    let advanced = json!({"TrailName": "demo", "AdvancedEventSelectors": management_and_objects()});
    server.ok("PutEventSelectors", advanced).await;
    let server = server.restart_with(&[]).await;
    let found = server.ok("GetEventSelectors", json!({"TrailName": "demo"})).await;
    let want =
        json!({"TrailARN": arn("us-east-1", "demo"), "AdvancedEventSelectors": management_and_objects()});
    assert_eq!(found, want, "no EventSelectors beside them");
    server.ok("PutEventSelectors", json!({"TrailName": "demo", "EventSelectors": [{}]})).await;
    let found = server.ok("GetEventSelectors", json!({"TrailName": "demo"})).await;
    assert!(found.get("AdvancedEventSelectors").is_none());
}

#[tokio::test]
async fn a_trail_says_whether_it_has_selectors_of_its_own() {
    let server = TestServer::start().await;
    server.create_in("us-east-1", "demo", false).await;
    let has = async || {
        let trail = server.ok("GetTrail", json!({"Name": "demo"})).await["Trail"].clone();
        let trails = server.ok("DescribeTrails", json!({})).await["trailList"].clone();
        assert_eq!(trails[0], trail);
        trail["HasCustomEventSelectors"].clone()
    };
    assert_eq!(has().await, false);
    for (selectors, want) in [
        (json!({"EventSelectors": [{"ReadWriteType": "WriteOnly"}]}), true),
        (json!({"EventSelectors": [{"ReadWriteType": "All", "DataResources": []}]}), false),
        (json!({"AdvancedEventSelectors": management_and_objects()}), true),
    ] {
        let mut asked = selectors;
        asked["TrailName"] = json!("demo");
        server.ok("PutEventSelectors", asked).await;
        assert_eq!(has().await, want);
    }
}

#[tokio::test]
async fn what_is_refused_changes_nothing() {
    let server = TestServer::start().await;
    server.create_in("us-east-1", "demo", false).await;
    let advanced = json!({"TrailName": "demo", "AdvancedEventSelectors": management_and_objects()});
    let put = server.ok("PutEventSelectors", advanced).await;
    for (asked, want) in [
        (json!({}), "Specify a valid number of selectors (1 to 5) for your trail"),
        (json!({"EventSelectors": []}), "Specify a valid number of selectors (1 to 5) for your trail"),
        (
            json!({"AdvancedEventSelectors": []}),
            "Specify a valid number of selectors (1 to 5) for your trail",
        ),
        (
            json!({"EventSelectors": [{"DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::*"]}]}]}),
            "Value arn:aws:s3:::* for DataResources.Values is invalid.",
        ),
    ] {
        let mut asked = asked;
        asked["TrailName"] = json!("demo");
        let refused = server.refused("PutEventSelectors", asked).await;
        assert_eq!(refused, format!("InvalidEventSelectorsException: {want}"));
    }
    assert_eq!(server.ok("GetEventSelectors", json!({"TrailName": "demo"})).await, put);
}

#[tokio::test]
async fn they_are_set_at_home_and_seen_everywhere() {
    let server = TestServer::start().await;
    server.create_in("us-east-1", "wide", true).await;
    let asked =
        json!({"TrailName": arn("us-east-1", "wide"), "EventSelectors": [{"ReadWriteType": "ReadOnly"}]});
    let refused = server.call_as("test", "eu-west-1", "PutEventSelectors", asked.clone()).await;
    assert_eq!(refused.code(), "InvalidHomeRegionException");
    let put = server.ok("PutEventSelectors", asked).await;
    let name = json!({"TrailName": arn("us-east-1", "wide")});
    assert_eq!(server.call_as("test", "eu-west-1", "GetEventSelectors", name).await.json(), put);
    assert_eq!(
        server.refused("PutEventSelectors", json!({"TrailName": "other", "EventSelectors": [{}]})).await,
        format!(
            "TrailNotFoundException: Unknown trail: {} for the user: {ACCOUNT}",
            arn("us-east-1", "other")
        )
    );
    assert_eq!(
        server.refused("PutEventSelectors", json!({"EventSelectors": [{}]})).await,
        "InvalidTrailNameException: Trail name cannot be blank!"
    );
}

#[tokio::test]
async fn the_sdk_sets_them_and_the_record_shows_what_was_asked_and_answered() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    let asked = json!({"TrailName": "demo", "AdvancedEventSelectors": management_and_objects()});
    server.ok("PutEventSelectors", asked).await;
    let found = server.sdk().get_event_selectors().trail_name("demo").send().await.unwrap();
    let objects = &found.advanced_event_selectors()[1];
    assert_eq!(
        (objects.name(), objects.field_selectors()[2].not_ends_with()),
        (Some("objects"), &[".tmp".to_owned()][..])
    );
    let records = server.records().await;
    let record = records.iter().find(|record| record["eventName"] == "PutEventSelectors").unwrap();
    assert_eq!(record["readOnly"], false);
    let request = &record["requestParameters"];
    assert_eq!(request["trailName"], "demo");
    assert_eq!(request["advancedEventSelectors"][1]["fieldSelectors"][2]["notEndsWith"], json!([".tmp"]));
    let answer = &record["responseElements"];
    assert_eq!(answer["trailARN"], arn("us-east-1", "demo"));
    assert_eq!(answer["advancedEventSelectors"], request["advancedEventSelectors"]);
}

/// A selector of data events of one type.
fn data_events(kind: &str) -> Value {
    json!({"TrailName": "demo", "AdvancedEventSelectors": [{"FieldSelectors": [
        {"Field": "eventCategory", "Equals": ["Data"]}, {"Field": "resources.type", "Equals": [kind]}]}]})
}

#[tokio::test]
async fn only_types_that_have_data_events_are_chosen_and_a_setting_adds_to_them() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    for kind in ["AWS::S3::Object", "AWS::Bedrock::AgentAlias", "AWS::SSMMessages::ControlChannel"] {
        server.ok("PutEventSelectors", data_events(kind)).await;
    }
    for kind in [
        "AWS::SecretsManager::Secret",
        "AWS::KMS::Key",
        "AWS::SSM::ManagedParameter",
        "AWS::S3::Bucket",
        "aws::s3::object",
        "AWS::New::Thing",
        "",
    ] {
        assert_eq!(
            server.refused("PutEventSelectors", data_events(kind)).await,
            "InvalidEventSelectorsException: The resources.type field value is not valid",
            "{kind}"
        );
    }
    let server = server.restart_with(&[("trails.data_types", "AWS::New::Thing, AWS::KMS::Key")]).await;
    for kind in ["AWS::New::Thing", "AWS::KMS::Key", "AWS::SQS::Queue"] {
        server.ok("PutEventSelectors", data_events(kind)).await;
    }
}
