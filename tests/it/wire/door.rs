//! The AWS door: targets, bodies, errors, browsers; raw bytes where a client would never send such a thing.

use crate::support::{Reply, TestServer, http};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const JSON: (&str, &str) = ("content-type", "application/x-amz-json-1.1");
const DESCRIBE: (&str, &str) = ("x-amz-target", "CloudTrail_20131101.DescribeTrails");

async fn post(server: &TestServer, headers: &[(&str, &str)], body: impl Into<reqwest::Body>) -> Reply {
    let mut request = http().post(&server.url).body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Reply::of(request.send().await.unwrap()).await
}

#[tokio::test]
async fn both_spellings_of_a_target_work_and_others_do_not() {
    let server = TestServer::start().await;
    for target in [
        "CloudTrail_20131101.DescribeTrails",
        "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.DescribeTrails",
    ] {
        let reply = post(&server, &[JSON, ("x-amz-target", target)], "{}").await;
        assert_eq!((reply.status, reply.text.as_str()), (200, r#"{"trailList":[]}"#), "{target}");
    }
    for target in [
        "DescribeTrails",
        "DynamoDB_20120810.ListTables",
        "CloudTrail_20131101.",
        "CloudTrail_20131101.describetrails",
    ] {
        let reply = post(&server, &[JSON, ("x-amz-target", target)], "{}").await;
        assert_eq!((reply.status, reply.code().as_str()), (400, "UnknownOperationException"), "{target}");
    }
    let reply = post(&server, &[JSON], "{}").await;
    assert_eq!((reply.status, reply.code().as_str()), (400, "UnknownOperationException"));
}

#[tokio::test]
async fn every_answer_has_a_request_id_of_its_own_and_the_content_type_of_aws() {
    let server = TestServer::start().await;
    let good = post(&server, &[JSON, DESCRIBE], "{}").await;
    let bad = post(&server, &[JSON, DESCRIBE], "[").await;
    for reply in [&good, &bad] {
        assert!(uuid::Uuid::try_parse(reply.header("x-amzn-requestid")).is_ok());
        assert_eq!(reply.header("content-type"), "application/x-amz-json-1.1");
    }
    assert_ne!(good.header("x-amzn-requestid"), bad.header("x-amzn-requestid"));
    assert_eq!(bad.header("x-amzn-errortype"), "SerializationException");
}

#[tokio::test]
async fn the_front_layer_says_message_and_cloudtrail_says_it_with_a_capital() {
    let server = TestServer::start().await;
    let front = server.call("Bogus", json!({})).await.json();
    assert!(front.get("message").is_some() && front.get("Message").is_none(), "{front}");
    let service = server.call("DeleteTrail", json!({"Name": "nothing"})).await.json();
    assert!(service.get("Message").is_some() && service.get("message").is_none(), "{service}");
}

#[tokio::test]
async fn malformed_and_mistyped_json_is_refused_and_an_empty_body_is_an_empty_object() {
    let server = TestServer::start().await;
    let target = ("x-amz-target", "CloudTrail_20131101.CreateTrail");
    let deep = format!("{{\"Name\":{}", "[".repeat(10_000));
    for body in [
        "[",
        "{",
        "[]",
        "null",
        "\"x\"",
        "{\"Name\":}",
        "{\"Name\":7}",
        "{\"IsMultiRegionTrail\":\"true\"}",
        "{\"TagsList\":{}}",
        "{\"Name\":\"a\"} x",
        "\u{feff}{}",
        &deep,
    ] {
        let reply = post(&server, &[JSON, target], body.to_owned()).await;
        assert_eq!((reply.status, reply.code().as_str()), (400, "SerializationException"), "{body:.40}");
    }
    let reply = post(&server, &[JSON, target], vec![b'{', 0xff, b'}']).await;
    assert_eq!(reply.code(), "SerializationException");
    assert_eq!(post(&server, &[JSON, DESCRIBE], "").await.status, 200);
    let extra = post(&server, &[JSON, DESCRIBE], r#"{"Unknown":1,"trailNameList":null}"#).await;
    assert_eq!(extra.status, 200, "unknown members and nulls are ignored");
}

#[tokio::test]
async fn only_aws_json_is_spoken_here() {
    let server = TestServer::start().await;
    for content_type in ["application/json", "text/plain", "application/x-www-form-urlencoded", ""] {
        let reply = post(&server, &[("content-type", content_type), DESCRIBE], "{}").await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (400, "UnknownOperationException"),
            "{content_type}"
        );
    }
    for content_type in ["application/x-amz-json-1.0", "application/x-amz-json-1.1; charset=utf-8"] {
        assert_eq!(post(&server, &[("content-type", content_type), DESCRIBE], "{}").await.status, 200);
    }
}

#[tokio::test]
async fn a_body_over_one_mebibyte_is_refused_with_and_without_a_length() {
    let server = TestServer::start().await;
    let body = vec![b' '; 1024 * 1024 + 1];
    let reply = post(&server, &[JSON, DESCRIBE], body.clone()).await;
    assert_eq!((reply.status, reply.code().as_str()), (413, "RequestEntityTooLargeException"));
    let chunks = body.chunks(100_000).map(|c| Ok::<_, std::io::Error>(c.to_vec())).collect::<Vec<_>>();
    let stream = reqwest::Body::wrap_stream(futures_util::stream::iter(chunks));
    let reply = post(&server, &[JSON, DESCRIBE], stream).await;
    assert_eq!((reply.status, reply.code().as_str()), (413, "RequestEntityTooLargeException"));
    let fits = format!("{{}}{}", " ".repeat(1024 * 1024 - 2));
    assert_eq!(post(&server, &[JSON, DESCRIBE], fits).await.status, 200);
}

#[tokio::test]
async fn a_body_that_trickles_is_cut_off() {
    let server = TestServer::with(&[("server.body_timeout", "50ms")]).await;
    let mut connection =
        tokio::net::TcpStream::connect(server.url.trim_start_matches("http://")).await.unwrap();
    let head = format!(
        "POST / HTTP/1.1\r\nhost: x\r\n{}: {}\r\n{}: {}\r\ncontent-length: 100\r\n\r\n{{",
        JSON.0, JSON.1, DESCRIBE.0, DESCRIBE.1
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("RequestTimeoutException"), "{answer}");
    assert!(answer.contains("x-amzn-requestid"), "{answer}");
}

#[tokio::test]
async fn operations_that_aws_has_and_contrail_has_not_name_themselves() {
    let server = TestServer::start().await;
    let reply = server.call("ListChannels", json!({})).await;
    assert_eq!(
        reply.error(),
        (
            "UnsupportedOperationException".into(),
            "Contrail does not support ListChannels yet: it has no channels.".into()
        )
    );
    let error =
        server.sdk().list_queries().event_data_store("e").send().await.unwrap_err().into_service_error();
    assert!(error.is_unsupported_operation_exception(), "{error:?}");
}

#[tokio::test]
async fn a_signature_that_names_no_key_is_incomplete_and_none_at_all_is_fine() {
    let server = TestServer::start().await;
    let reply = post(&server, &[JSON, DESCRIBE, ("authorization", "AWS4-HMAC-SHA256 nonsense")], "{}").await;
    assert_eq!((reply.status, reply.code().as_str()), (400, "IncompleteSignatureException"));
    assert_eq!(post(&server, &[JSON, DESCRIBE], "{}").await.status, 200);
}

#[tokio::test]
async fn web_pages_of_other_origins_are_kept_out() {
    let server = TestServer::start().await;
    let own = server.url.clone();
    for foreign in [
        ("origin", "http://evil.test"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        let reply = post(&server, &[JSON, DESCRIBE, foreign], "{}").await;
        assert_eq!((reply.status, reply.code().as_str()), (400, "AccessDeniedException"), "{foreign:?}");
        assert_eq!(reply.header("access-control-allow-origin"), "");
    }
    for honest in
        [("origin", own.as_str()), ("sec-fetch-site", "same-origin"), ("host", "contrail.compose.test")]
    {
        assert_eq!(post(&server, &[JSON, DESCRIBE, honest], "{}").await.status, 200, "{honest:?}");
    }
}

/// DNS rebinding: to its browser a page of `evil.test` calls its own server.
#[tokio::test]
async fn web_pages_may_not_call_the_server_by_a_name_that_it_does_not_have() {
    let server = TestServer::with(&[("server.allowed_hosts", "trail.team.test")]).await;
    let ask = async |host: &'static str, page: &(&'static str, &'static str)| {
        post(&server, &[JSON, DESCRIBE, ("host", host), *page], "{}").await
    };
    let browser = ("user-agent", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Safari/605.1.15");
    for page in [("origin", "http://evil.test:4700"), browser] {
        let reply = ask("evil.test:4700", &page).await;
        assert_eq!((reply.status, reply.code().as_str()), (400, "AccessDeniedException"), "{page:?}");
        assert!(reply.error().1.contains("[server] allowed_hosts"), "{}", reply.text);
    }
    for page in [("origin", "http://trail.team.test"), browser] {
        assert_eq!(ask("trail.team.test", &page).await.status, 200, "{page:?}");
    }
}

#[tokio::test]
async fn without_the_bucket_store_other_paths_and_methods_get_a_hint_where_to_go() {
    let server = TestServer::with(&[("delivery.s3_endpoint", "http://127.0.0.1:9")]).await;
    for path in ["/", "/elsewhere"] {
        let reply = server.get(path).await;
        assert_eq!((reply.status, reply.code().as_str()), (400, "UnknownOperationException"), "{path}");
        assert!(reply.error().1.contains("POST /"));
    }
    let reply = server.get("/_contrail/nothing").await;
    assert_eq!(
        (reply.status, reply.json()["error"].as_str()),
        (404, Some("there is no GET /_contrail/nothing"))
    );
}

/// There is room for so many long bodies; the next one waits with its sender, and short ones need no room.
#[tokio::test]
async fn long_bodies_that_do_not_come_keep_short_ones_waiting_for_nothing() {
    let server = TestServer::start().await;
    let head = format!(
        "POST / HTTP/1.1\r\nhost: localhost\r\n{}: {}\r\n{}: {}\r\ncontent-length: 1000000\r\n\r\n",
        JSON.0, JSON.1, DESCRIBE.0, DESCRIBE.1
    );
    let mut begun = Vec::new();
    for _ in 0..64 {
        let mut stream =
            tokio::net::TcpStream::connect(server.url.trim_start_matches("http://")).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&vec![b' '; 100_000]).await.unwrap();
        begun.push(stream);
    }
    assert_eq!(post(&server, &[JSON, DESCRIBE], "{}").await.status, 200);
    let long = post(&server, &[JSON, DESCRIBE], format!("{{}}{}", " ".repeat(900_000)));
    let (reply, ()) = tokio::join!(long, async {
        for stream in &mut begun {
            let rest = format!("{{}}{}", " ".repeat(899_998));
            stream.write_all(rest.as_bytes()).await.unwrap();
        }
    });
    assert_eq!(reply.status, 200, "{}", reply.text);
}

/// A part of it would pass for the key, and its account for the caller's.
#[tokio::test]
async fn a_scope_has_five_parts() {
    let server = TestServer::start().await;
    for scope in ["444455556666/x/20261122/us-east-1/cloudtrail/aws4_request", "test/cloudtrail/aws4_request"]
    {
        let signed = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0");
        let reply = post(&server, &[JSON, DESCRIBE, ("authorization", &signed)], "{}").await;
        assert_eq!((reply.status, reply.code().as_str()), (400, "IncompleteSignatureException"), "{scope}");
        assert!(reply.error().1.contains("must have exactly 5 slash-delimited elements"), "{}", reply.text);
    }
}
