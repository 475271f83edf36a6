//! Requests to applications behind an emulator, which are no calls; and calls with a prefix before the host.

use super::sent;
use contrail::aws::identify::Finding;

fn is_ignored(request: &super::Sent) -> bool {
    matches!(request.found(), Finding::Ignored)
}

#[test]
fn what_is_for_an_application_is_no_call_of_s3() {
    for (host, target) in [
        ("a1b2c3.execute-api.us-east-1.amazonaws.com", "/prod/pets"),
        ("a1b2c3.execute-api.localhost.localstack.cloud:4566", "/prod/pets?x=1"),
        ("a1b2c3.lambda-url.us-east-1.on.aws", "/"),
        ("a1b2c3.lambda-url.us-east-1.localhost.localstack.cloud:4566", "/run"),
        ("d111111abcdef8.cloudfront.net", "/index.html"),
        ("D111111.CloudFront.localhost.localstack.cloud:4566", "/index.html"),
        ("api-1.appsync-api.us-east-1.amazonaws.com", "/graphql"),
        ("lb-1.elb.localhost.localstack.cloud:4566", "/app"),
        ("127.0.0.1:4700", "/restapis/a1b2c3/prod/_user_request_/pets/1"),
        ("127.0.0.1:4700", "/restapis/a1b2c3/prod/_user_request_"),
        ("127.0.0.1:4700", "/v2/"),
        ("127.0.0.1:4700", "/v2/app/manifests/latest"),
        ("127.0.0.1:4700", "/us-east-1_a1b2c3/.well-known/jwks.json"),
    ] {
        for method in ["GET", "POST", "PUT", "HEAD"] {
            assert!(is_ignored(&sent(method, target).with("host", host)), "{method} {host}{target}");
        }
    }
    let signed = sent("GET", "/prod/pets").with("host", "a1.execute-api.us-east-1.amazonaws.com");
    assert!(is_ignored(&signed.signed("execute-api")));
}

#[test]
fn what_only_looks_like_that_is_a_call_all_the_same() {
    for (host, target, name) in [
        ("execute-api.s3.localhost:4700", "/key", "s3 GetObject"),
        ("b-1.s3.elb.localhost:4700", "/b-1/key", "s3 GetObject"),
        ("127.0.0.1:4700", "/v2-bucket/key", "s3 GetObject"),
        ("127.0.0.1:4700", "/b-1/v2/key", "s3 GetObject"),
        ("127.0.0.1:4700", "/b-1/jwks.json.bak", "s3 GetObject"),
        ("127.0.0.1:4700", "/restapis/key", "s3 GetObject"),
    ] {
        assert_eq!(sent("GET", target).with("host", host).name(), name, "{host}{target}");
    }
    // What is signed for a service may be done as that one's, whatever the host and path are.
    for host in ["a1.execute-api.us-east-1.amazonaws.com", "d1.cloudfront.net"] {
        let in_host = sent("GET", "/b-1/key").with("host", host).signed("s3");
        assert!(!is_ignored(&in_host), "{host}");
    }
    assert!(!is_ignored(&sent("GET", "/v2/key").signed("s3")));
    assert_eq!(
        sent("GET", "/restapis/a1/deployments").signed("apigateway").name(),
        "apigateway GetDeployments"
    );
    let connection = sent("POST", "/@connections/c1").with("host", "a1.execute-api.us-east-1.amazonaws.com");
    assert_eq!(connection.signed("execute-api").name(), "execute-api PostToConnection");
}

#[test]
fn a_health_probe_is_no_call() {
    for method in ["GET", "HEAD"] {
        assert!(is_ignored(&sent(method, "/")), "{method}");
        assert!(is_ignored(&sent(method, "/").with("host", "localhost:4566")), "{method}");
    }
    assert_eq!(sent("GET", "/").signed("s3").name(), "s3 ListBuckets");
    assert_eq!(sent("GET", "/").with("host", "b-1.localhost:4700").name(), "s3 ListObjects");
    assert_eq!(sent("GET", "/?Action=ListUsers&Version=2010-05-08").name(), "iam ListUsers");
    assert_eq!(sent("GET", "/?list-type=2").with("host", "b-1.localhost:4700").name(), "s3 ListObjects");
}

#[test]
fn s3_control_is_known_by_its_path_with_the_account_before_the_host() {
    for host in [
        "123456789012.localhost:4700",
        "123456789012.s3-control.us-east-1.amazonaws.com",
        "123456789012.s3.localhost.localstack.cloud:4566",
        "127.0.0.1:4700",
    ] {
        for (method, target, name) in [
            ("GET", "/v20180820/jobs", "s3 ListJobs"),
            ("POST", "/v20180820/jobs", "s3 CreateJob"),
            ("GET", "/v20180820/jobs/j-1", "s3 DescribeJob"),
            ("PUT", "/v20180820/accesspoint/ap-1", "s3 CreateAccessPoint"),
            ("GET", "/v20180820/configuration/publicAccessBlock", "s3 GetAccountPublicAccessBlock"),
            ("DELETE", "/v20180820/storagelens/s-1", "s3 DeleteStorageLensConfiguration"),
        ] {
            let request = sent(method, target).with("host", host).signed("s3");
            assert_eq!(request.name(), name, "{method} {host}{target}");
        }
        // Any other path is that of an object in a bucket that is called like an account.
        if host.starts_with("123") {
            let object = sent("GET", "/v20180820").with("host", host).signed("s3");
            assert_eq!(object.labels(), "Bucket=123456789012 Key=v20180820");
        }
    }
    let bucket = sent("GET", "/v20180820/jobs").with("host", "b-1.localhost:4700").signed("s3");
    assert_eq!(bucket.labels(), "Bucket=b-1 Key=v20180820/jobs");
}
