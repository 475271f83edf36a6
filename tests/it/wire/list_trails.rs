use crate::support::{TestServer, arn};
use serde_json::{Value, json};

#[tokio::test]
async fn where_there_is_no_trail_the_list_is_empty() {
    let server = TestServer::start().await;
    assert_eq!(server.call("ListTrails", json!({})).await.text, r#"{"Trails":[]}"#);
}

#[tokio::test]
async fn all_regions_are_listed_whichever_is_asked() {
    let server = TestServer::start().await;
    server.create_in("us-east-1", "wide", true).await;
    server.create_in("eu-west-1", "local", false).await;
    let all = server.ok("ListTrails", json!({})).await;
    insta::assert_json_snapshot!(all, @r#"
    {
      "Trails": [
        {
          "TrailARN": "arn:aws:cloudtrail:eu-west-1:000000000000:trail/local",
          "Name": "local",
          "HomeRegion": "eu-west-1"
        },
        {
          "TrailARN": "arn:aws:cloudtrail:us-east-1:000000000000:trail/wide",
          "Name": "wide",
          "HomeRegion": "us-east-1"
        }
      ]
    }
    "#);
    assert_eq!(server.ok_in("mars-north-1", "ListTrails", json!({})).await, all);
    let other = server.sdk_as("111122223333", "us-east-1").list_trails().send().await.unwrap();
    assert!(other.trails().is_empty(), "another account's");
}

/// A server with 103 trails, and their ARNs as they are listed.
async fn many() -> (TestServer, Vec<String>) {
    let server = TestServer::start().await;
    let mut arns = Vec::new();
    for number in 0..103 {
        let (region, name) = (format!("zone-{}-1", number / 5), format!("trail-{number}"));
        server.create_in(&region, &name, false).await;
        arns.push((region, name));
    }
    // A region whose name begins like another's, and which a comparison of texts would put before it.
    server.create_in("zone-1-1-a", "trail", false).await;
    arns.push(("zone-1-1-a".into(), "trail".into()));
    arns.sort();
    let arns = arns.into_iter().map(|(region, name)| arn(&region, &name)).collect();
    (server, arns)
}

#[tokio::test]
async fn the_sdk_pages_through_more_than_a_hundred() {
    let (server, arns) = many().await;
    let mut pages = server.sdk().list_trails().into_paginator().send();
    let mut found = Vec::new();
    let mut sizes = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        sizes.push(page.trails().len());
        found.extend(page.trails().iter().map(|trail| trail.trail_arn().unwrap().to_owned()));
    }
    assert_eq!(sizes, [100, 4]);
    assert_eq!(found, arns);
}

#[tokio::test]
async fn trails_that_come_and_go_while_paging_hide_no_others() {
    let (server, arns) = many().await;
    let first = server.ok("ListTrails", json!({})).await;
    // The last of the first page, and one before it, go; one comes before it.
    for number in [99, 0] {
        let gone = &first["Trails"][number];
        server
            .ok_in(gone["HomeRegion"].as_str().unwrap(), "DeleteTrail", json!({"Name": gone["Name"]}))
            .await;
    }
    server.create_in("aaaa-1", "new", false).await;
    let rest = server.ok("ListTrails", json!({"NextToken": first["NextToken"]})).await;
    let names: Vec<_> = rest["Trails"].as_array().unwrap().iter().map(|trail| &trail["TrailARN"]).collect();
    assert_eq!(names, arns[100..].iter().collect::<Vec<_>>());
    assert_eq!(rest.get("NextToken"), None);
}

#[tokio::test]
async fn a_token_is_good_for_the_account_and_region_that_got_it() {
    let (server, _) = many().await;
    let token = server.ok("ListTrails", json!({})).await["NextToken"].clone();
    let input = json!({"NextToken": token});
    let refused = async |key: &str, region: &str, input: &Value| {
        server.call_as(key, region, "ListTrails", input.clone()).await.code()
    };
    assert_eq!(refused("test", "us-east-1", &input).await, "");
    for (key, region, input) in [
        ("111122223333", "us-east-1", &input),
        ("test", "eu-west-1", &input),
        ("test", "us-east-1", &json!({"NextToken": "nonsense"})),
        ("test", "us-east-1", &json!({"NextToken": ""})),
    ] {
        assert_eq!(refused(key, region, input).await, "InvalidNextTokenException", "{key} {region} {input}");
    }
}
