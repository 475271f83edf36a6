//! Which operation a request is for.

mod elsewhere;

use contrail::aws::catalog::Catalog;
use contrail::aws::form::Form;
use contrail::aws::host::HostNames;
use contrail::aws::identify::{Finding, Identified, Identifier};
use contrail::aws::protocol::Protocol;
use contrail::aws::request::Request;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

/// Requests as botocore builds them; `tests/clients/identify_trial.py --sample` has made them.
const REQUESTS: &str = include_str!("requests.tsv");

/// A request on its way to being identified.
struct Sent {
    head: Request,
    body: String,
}

fn sent(method: &str, target: &str) -> Sent {
    let head = Request::new(Method::from_bytes(method.as_bytes()).unwrap(), target, HeaderMap::new());
    Sent { head, body: String::new() }.with("host", "127.0.0.1:4700")
}

impl Sent {
    fn with(mut self, name: &str, value: &str) -> Sent {
        let name: HeaderName = name.parse().unwrap();
        self.head.headers.insert(name, HeaderValue::from_str(value).unwrap());
        self
    }

    fn signed(self, service: &str) -> Sent {
        let scope = format!("AKIAX/20261122/us-east-1/{service}/aws4_request");
        self.with(
            "authorization",
            &format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"),
        )
    }

    fn form(self, body: &str) -> Sent {
        let sent = self.with("content-type", "application/x-www-form-urlencoded; charset=utf-8");
        Sent { body: body.to_owned(), ..sent }
    }

    fn found(&self) -> Finding {
        let hosts = HostNames::new([], ["localhost", "s3.localhost.localstack.cloud"]);
        let identifier = Identifier { catalog: Catalog::embedded(), hosts };
        let claim = self.head.signature().claim().ok().flatten();
        identifier.identify(&self.head, claim, &Form::of(&self.head, self.body.as_bytes()))
    }

    fn call(&self) -> Identified {
        match self.found() {
            Finding::Call(call) => call,
            other => panic!("{} {}: {other:?}", self.head.method, self.head.target),
        }
    }

    /// `s3 PutObject`
    fn name(&self) -> String {
        let call = self.call();
        format!("{} {}", call.event_source.trim_end_matches(".amazonaws.com"), call.event_name())
    }

    /// `Bucket=b Key=a/b`
    fn labels(&self) -> String {
        let labels: Vec<_> =
            self.call().labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
        labels.join(" ")
    }

    fn is_unknown(&self) -> bool {
        matches!(self.found(), Finding::Unclear(candidates) if candidates.is_empty())
    }
}

#[test]
fn what_botocore_sends_is_what_was_meant() {
    let mut wrong = Vec::new();
    for line in REQUESTS.lines() {
        let [source, name, scope, method, target, headers, body] = line.split('\t').collect::<Vec<_>>()[..]
        else {
            panic!("{line}");
        };
        let mut request = sent(method, target);
        for header in headers.split(' ').filter(|header| !header.is_empty()) {
            let (name, value) = header.split_once('=').unwrap();
            request = request.with(name, value);
        }
        request = match scope {
            "" => request,
            "Bearer" => request.with("authorization", "Bearer token"),
            service => request.signed(service),
        };
        request.body = body.to_owned();
        let meant = format!("{} {name}", source.trim_end_matches(".amazonaws.com"));
        match request.found() {
            Finding::Call(_) if request.name() == meant => {}
            found => wrong.push(format!("{meant}: {found:?}")),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_bucket_can_stand_in_the_host_name_and_a_key_is_decoded() {
    let in_path = sent("PUT", "/b-1/a%20b/c+d?x-id=PutObject").signed("s3");
    assert_eq!(
        (in_path.name().as_str(), in_path.labels().as_str()),
        ("s3 PutObject", "Bucket=b-1 Key=a b/c+d")
    );
    for host in
        ["b-1.localhost:4700", "b-1.s3.localhost.localstack.cloud:4566", "b-1.s3.us-east-1.amazonaws.com"]
    {
        let request = |method, target| sent(method, target).with("host", host).signed("s3");
        assert_eq!(request("GET", "/a/b").labels(), "Bucket=b-1 Key=a/b", "{host}");
        assert_eq!(request("GET", "/a/b").name(), "s3 GetObject");
        assert_eq!(request("GET", "/?list-type=2").name(), "s3 ListObjects");
        assert_eq!(request("HEAD", "/").name(), "s3 HeadBucket");
    }
    assert_eq!(
        sent("GET", "/").with("host", "s3.us-east-1.amazonaws.com").signed("s3").name(),
        "s3 ListBuckets"
    );
    assert_eq!(sent("GET", "/b-1/").signed("s3").name(), "s3 ListObjects", "no object without a name");
}

#[test]
fn what_is_asked_of_a_bucket_or_an_object_is_known_by_query_and_header() {
    for (method, target, name) in [
        ("GET", "/b-1?location", "GetBucketLocation"),
        ("GET", "/b-1?publicAccessBlock", "GetBucketPublicAccessBlock"),
        ("PUT", "/b-1?lifecycle", "PutBucketLifecycle"),
        ("GET", "/b-1?analytics&id=a", "GetBucketAnalyticsConfiguration"),
        ("GET", "/b-1?analytics", "ListBucketAnalyticsConfigurations"),
        ("POST", "/b-1?delete", "DeleteObjects"),
        ("POST", "/b-1/k?uploads", "CreateMultipartUpload"),
        ("PUT", "/b-1/k?partNumber=1&uploadId=u", "UploadPart"),
        ("POST", "/b-1/k?uploadId=u", "CompleteMultipartUpload"),
        ("GET", "/b-1/k?uploadId=u", "ListParts"),
        ("DELETE", "/b-1/k?uploadId=u", "AbortMultipartUpload"),
        ("GET", "/b-1/k?acl", "GetObjectAcl"),
        ("GET", "/b-1/k?versionId=v", "GetObject"),
    ] {
        assert_eq!(sent(method, target).signed("s3").name(), format!("s3 {name}"), "{method} {target}");
    }
    let copy = sent("PUT", "/b-1/k").with("x-amz-copy-source", "b-2/k").signed("s3");
    assert_eq!(copy.name(), "s3 CopyObject");
    let form = sent("POST", "/b-1").with("content-type", "multipart/form-data; boundary=x");
    assert_eq!((form.name().as_str(), form.labels().as_str()), ("s3 PostObject", "Bucket=b-1"));
    assert_eq!(sent("GET", "/v20180820/jobs").signed("s3").name(), "s3 ListJobs");
}

#[test]
fn all_kinds_of_signatures_say_whom_a_request_is_for() {
    let presigned = "/b-1/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0\
                     &X-Amz-Credential=AKIAX%2F20261122%2Feu-west-1%2Fs3%2Faws4_request";
    assert_eq!(sent("GET", presigned).name(), "s3 GetObject");
    assert_eq!(sent("GET", "/b-1/k?AWSAccessKeyId=AKIAX&Signature=x&Expires=1").name(), "s3 GetObject");
    assert_eq!(sent("PUT", "/b-1").with("authorization", "AWS AKIAX:x=").name(), "s3 CreateBucket");
    let many_regions = "AWS4-ECDSA-P256-SHA256 Credential=AKIAX/20261122/s3/aws4_request, Signature=0";
    assert_eq!(sent("PUT", "/b-1").with("authorization", many_regions).name(), "s3 CreateBucket");
    // SimpleDB and ImportExport still sign with version 2.
    let old =
        sent("POST", "/").form("Action=ListDomains&Version=2009-04-15&AWSAccessKeyId=AKIAX&Signature=x");
    assert_eq!(old.name(), "sdb ListDomains");
    let old =
        "/?Action=DescribeInstances&Version=2016-11-15&AWSAccessKeyId=AKIAX&SignatureVersion=2&Signature=x";
    assert_eq!(sent("GET", old).name(), "ec2 DescribeInstances");
    let odd_key = "AWS4-HMAC-SHA256 Credential=a/b/20261122/us-east-1/lambda/aws4_request, Signature=0";
    let odd_key = sent("GET", "/2015-03-31/functions").with("authorization", odd_key);
    assert_eq!(odd_key.name(), "lambda ListFunctions20150331");
}

#[test]
fn an_operation_can_be_named_in_a_header_a_form_or_a_path() {
    let json = sent("POST", "/").with("x-amz-target", "DynamoDB_20120810.ListTables").signed("dynamodb");
    assert_eq!((json.name().as_str(), json.call().protocol), ("dynamodb ListTables", Protocol::Json));
    // As botocore and as other SDKs write CloudTrail's.
    for prefix in ["com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101", "CloudTrail_20131101"] {
        let call =
            sent("POST", "/").with("x-amz-target", &format!("{prefix}.LookupEvents")).signed("cloudtrail");
        assert_eq!(call.name(), "cloudtrail LookupEvents");
    }
    let query = sent("POST", "/").form("Action=CreateUser&Version=2010-05-08&UserName=eve").signed("iam");
    assert_eq!((query.name().as_str(), query.call().protocol), ("iam CreateUser", Protocol::Query));
    let ec2 = sent("GET", "/?Action=DescribeInstances&Version=2016-11-15").signed("ec2");
    assert_eq!((ec2.name().as_str(), ec2.call().protocol), ("ec2 DescribeInstances", Protocol::Ec2));
    let cbor = "/service/GraniteServiceVersion20100801/operation/PutMetricData";
    let cbor = sent("POST", cbor).with("smithy-protocol", "rpc-v2-cbor").signed("monitoring");
    assert_eq!((cbor.name().as_str(), cbor.call().protocol), ("monitoring PutMetricData", Protocol::Cbor));
    // Older clients of SQS, at the service and at a queue.
    for target in ["/", "/000000000000/queue-1"] {
        let old = sent("POST", target).form("Action=SendMessage&Version=2012-11-05").signed("sqs");
        assert_eq!(
            (old.name().as_str(), old.call().protocol),
            ("sqs SendMessage", Protocol::Query),
            "{target}"
        );
    }
    // Two APIs of one name are told apart by their version.
    let balancers = |version| {
        let form = format!("Action=DescribeLoadBalancers&Version={version}");
        sent("POST", "/").form(&form).signed("elasticloadbalancing").call().service.key.clone()
    };
    assert_eq!((balancers("2012-06-01").as_str(), balancers("2015-12-01").as_str()), ("elb", "elbv2"));
    // A search that is too long for a URL.
    let search =
        sent("POST", "/2013-01-01/search").form("format=sdk&pretty=true&q=star").signed("cloudsearch");
    assert_eq!(search.name(), "cloudsearch Search");
}

#[test]
fn without_a_signature_only_what_comes_without_one_is_taken_for_a_call() {
    let web_identity = "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=r";
    assert_eq!(sent("POST", "/").form(web_identity).name(), "sts AssumeRoleWithWebIdentity");
    let sign_up = "AWSCognitoIdentityProviderService.SignUp";
    assert_eq!(sent("POST", "/").with("x-amz-target", sign_up).name(), "cognito-idp SignUp");
    assert_eq!(
        sent("GET", "/federation/credentials?account_id=1&role_name=r").name(),
        "sso GetRoleCredentials"
    );
    assert_eq!(sent("POST", "/token").with("content-type", "application/json").name(), "sso CreateToken");
    let with_token = sent("GET", "/v1/spaces/s-1").with("authorization", "Bearer token");
    assert_eq!(with_token.name(), "codecatalyst GetSpace");
    assert_eq!(sent("GET", "/v1/spaces/s-1").name(), "s3 GetObject", "without the token");
    // Public buckets.
    assert_eq!(sent("GET", "/b-1/index.html").name(), "s3 GetObject");
    // Of other services nothing, and nothing that S3 would not take.
    assert_eq!(sent("GET", "/2015-03-31/functions/demo").name(), "s3 GetObject");
    assert!(sent("POST", "/2015-03-31/functions/demo").is_unknown());
    assert!(sent("PATCH", "/b-1/k").is_unknown());
    for target in ["/_localstack/health", "/moto-api/data.json", "/minio/health/live", "/health"] {
        assert!(matches!(sent("GET", target).found(), Finding::Ignored), "{target}");
    }
    assert!(matches!(sent("OPTIONS", "/b-1/k").signed("s3").found(), Finding::Ignored));
}

#[test]
fn an_operation_of_tomorrow_is_trusted_by_its_name_and_never_invented_from_a_path() {
    let json =
        sent("POST", "/").with("x-amz-target", "DynamoDB_20120810.DescribeTomorrow").signed("dynamodb");
    assert_eq!((json.name().as_str(), json.call().facts().read_only), ("dynamodb DescribeTomorrow", true));
    let query = sent("POST", "/").form("Action=MakeTomorrow&Version=2010-05-08").signed("iam");
    assert_eq!((query.name().as_str(), query.call().facts().read_only), ("iam MakeTomorrow", false));
    let cbor = sent("POST", "/service/Tomorrow/operation/MakeIt").with("smithy-protocol", "rpc-v2-cbor");
    assert_eq!(cbor.signed("monitoring").name(), "monitoring MakeIt", "the scope says which service");
    assert!(sent("POST", "/2030-01-01/tomorrow").signed("lambda").is_unknown());
    assert!(sent("POST", "/").with("x-amz-target", "Tomorrow.MakeIt").signed("tomorrow").is_unknown());
    // Names that are none.
    for name in ["", "make", "Make-It", "Make It", &"M".repeat(200)] {
        let odd =
            sent("POST", "/").with("x-amz-target", &format!("DynamoDB_20120810.{name}")).signed("dynamodb");
        assert!(odd.is_unknown(), "{name}");
    }
}

#[test]
fn where_paths_are_alike_the_host_decides_and_else_the_service_that_has_the_name() {
    let import = |host: &str| sent("POST", "/imports/").with("host", host).signed("lex").name();
    assert_eq!(import("models.lex.us-east-1.amazonaws.com"), "lex StartImport");
    assert_eq!(import("models-v2-lex.us-east-1.amazonaws.com"), "lex ListImports");
    assert_eq!(sent("GET", "/2017-03-31/tags/arn").signed("lambda").call().service.key, "lambda");
    assert_eq!(sent("GET", "/").signed("s3").name(), "s3 ListBuckets");
    assert_eq!(sent("GET", "/").signed("s3express").name(), "s3express ListDirectoryBuckets");
    let callback = sent("POST", "/WriteGetObjectResponse").signed("s3-object-lambda");
    assert_eq!(callback.name(), "s3-object-lambda WriteGetObjectResponse");
    // With and without a slash at the end.
    let agents = |target| sent("POST", target).signed("bedrock").name();
    assert_eq!(
        (agents("/agents/a/").as_str(), agents("/agents/a").as_str()),
        ("bedrock PrepareAgent", "bedrock InvokeInlineAgent")
    );
}

#[test]
fn a_thousand_names_are_no_operation_and_take_no_time() {
    let names: Vec<String> = (0..20_000).map(|number| format!("Action=Name{number}")).collect();
    let many = sent("POST", "/").form(&names.join("&")).signed("ec2");
    assert!(matches!(many.found(), Finding::Unclear(candidates) if candidates.len() <= 64));
}
