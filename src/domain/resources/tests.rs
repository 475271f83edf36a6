//! The rules, tried on records that are made from them.

use super::rules::{Path, tests::all};
use super::*;
use serde_json::{Value, json, value::to_raw_value};
use std::collections::BTreeMap;

fn listed(source: &str, event: &str, request: Value, response: Value) -> Vec<(String, String)> {
    let part = |value: Value| Some(value).filter(|v| !v.is_null()).map(|value| to_raw_value(&value).unwrap());
    let (request, response) = (part(request), part(response));
    let source = format!("{source}.amazonaws.com");
    let found = of_event(&NamingMembers {
        category: Category::Management,
        event_source: &source,
        event_name: event,
        request: request.as_deref(),
        response: response.as_deref(),
        own: &[],
    });
    found
        .all()
        .iter()
        .cloned()
        .map(|r| (r.resource_type.unwrap_or("-".to_owned()), r.resource_name))
        .collect()
}

/// Types without what they begin with, and names.
fn short(found: &[(String, String)]) -> Vec<(&str, &str)> {
    found.iter().map(|(kind, name)| (short_type(kind), name.as_str())).collect()
}

/// Where Java's collections keep a text among `buckets`.
fn place(hash: i32, buckets: usize) -> usize {
    ((hash ^ ((hash as u32) >> 16) as i32) as u32 as usize) % buckets
}

fn java_hash(text: &str) -> i32 {
    let mut hash = 0i32;
    for unit in text.encode_utf16() {
        hash = hash.wrapping_mul(31).wrapping_add(i32::from(unit));
    }
    hash
}

/// What comes out of a table of types, each with a table of names, bucket by bucket.
fn from_tables(named: &[(&str, String)]) -> Vec<(String, String)> {
    let mut name_buckets = 16;
    while named.len() > name_buckets * 3 / 4 {
        name_buckets *= 2;
    }
    let mut types: BTreeMap<&str, Vec<Vec<&String>>> = BTreeMap::new();
    for (kind, name) in named {
        let of_type = if *kind == "-" { 0 } else { java_hash(kind) };
        let fields = [java_hash(name), of_type];
        let hash = fields.iter().fold(7i32, |hash, field| hash.wrapping_mul(31).wrapping_add(*field));
        let table = types.entry(kind).or_insert_with(|| vec![Vec::new(); name_buckets]);
        table[place(hash, name_buckets)].push(name);
    }
    let mut out = Vec::new();
    for bucket in 0..=16 {
        for (kind, names) in &types {
            // What has no type comes behind all buckets.
            let own = if *kind == "-" { 16 } else { place(java_hash(kind), 16) };
            if own == bucket {
                out.extend(names.iter().flatten().map(|name| ((*kind).to_owned(), (*name).clone())));
            }
        }
    }
    out
}

/// Puts `text` where a path leads.
fn put(into: &mut Value, path: &[&str], text: Value) {
    match path {
        [] => *into = text,
        [first, rest @ ..] => put(&mut into[*first], rest, text),
    }
}

#[test]
fn for_every_rule_the_types_and_names_of_a_record_made_from_it_come_in_awss_order() {
    for (source, event, members) in all() {
        for as_lists in [false, true] {
            let (mut request, mut response) = (Value::Null, Value::Null);
            let mut named = Vec::new();
            for (number, member) in members.iter().enumerate() {
                let Path::Members(path) = &member.path else { panic!("{event}: a rule has a path") };
                let name = format!("{event}-{number}");
                let text = if as_lists { json!([name, {"else": "no"}]) } else { json!(name) };
                let part = if member.part == Part::Request { &mut request } else { &mut response };
                put(part, path, text);
                named.push((member.resource_type.unwrap_or("-"), name));
            }
            // In the order of the record, the request first: `put` keeps members together that begin alike.
            let mut text_order: Vec<usize> = (0..named.len()).collect();
            let whole = format!("{request}{response}");
            text_order.sort_by_key(|at| whole.find(&format!("\"{}\"", named[*at].1)));
            let named: Vec<_> = text_order.into_iter().map(|at| named[at].clone()).collect();
            request["tokens"] = json!([{"unrelated": "no"}, 7, true, null]);
            assert_eq!(listed(source, event, request, response), from_tables(&named), "{source} {event}");
        }
    }
}

#[test]
fn run_instances_lists_what_request_and_response_name_and_a_failed_call_what_was_asked() {
    let request = json!({
        "instancesSet": {"items": [{"imageId": "ami-1", "keyName": "key-1", "minCount": 1}]},
        "subnetId": "subnet-1", "instanceType": "t3.nano"
    });
    let group = json!({"items": [{"groupId": "sg-1", "groupName": "default"}]});
    let response = json!({"requestId": "r", "instancesSet": {"items": [
        {"instanceId": "i-1", "vpcId": "vpc-1", "subnetId": "subnet-1", "groupSet": group,
         "networkInterfaceSet": {"items": [{"networkInterfaceId": "eni-1", "subnetId": "subnet-1"}]}},
        {"instanceId": "i-2", "vpcId": "vpc-1", "subnetId": "subnet-1", "groupSet": group}
    ]}});
    let found = listed("ec2", "RunInstances", request.clone(), response);
    let kinds: Vec<&str> = short(&found).iter().map(|(kind, _)| *kind).collect();
    // Seen in answers of AWS.
    let order = [
        "VPC",
        "Ami",
        "NetworkInterface",
        "Instance",
        "Instance",
        "KeyPair",
        "SecurityGroup",
        "SecurityGroup",
        "Subnet",
    ];
    assert_eq!(kinds, order);
    let failed = listed("ec2", "RunInstances", request, Value::Null);
    assert_eq!(short(&failed), [("Ami", "ami-1"), ("KeyPair", "key-1"), ("Subnet", "subnet-1")]);
}

#[test]
fn reads_list_nothing_whatever_they_name() {
    for (source, event, request) in [
        ("s3", "GetBucketPolicy", json!({"bucketName": "b-1"})),
        ("iam", "GetUser", json!({"userName": "eve"})),
        ("iam", "ListAccessKeys", json!({"userName": "eve"})),
        ("cloudtrail", "GetTrailStatus", json!({"name": "demo"})),
        ("ec2", "DescribeInstances", json!({"instancesSet": {"items": [{"instanceId": "i-1"}]}})),
        ("newservice", "GetThing", json!({"name": "x"})),
    ] {
        assert_eq!(listed(source, event, request, Value::Null), [], "{source} {event}");
    }
}

#[test]
fn what_changes_an_association_or_a_stage_lists_both_ends_of_it() {
    let replaced = listed(
        "ec2",
        "ReplaceRouteTableAssociation",
        json!({"associationId": "rtbassoc-1", "routeTableId": "rtb-2"}),
        json!({"newAssociationId": "rtbassoc-2"}),
    );
    let mut names: Vec<_> = replaced.iter().map(|(_, name)| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["rtb-2", "rtbassoc-1", "rtbassoc-2"]);
    let freed = listed(
        "ec2",
        "DisassociateAddress",
        json!({"associationId": "eipassoc-1"}),
        json!({"_return": true}),
    );
    assert_eq!(short(&freed), [("EIPAssociation", "eipassoc-1")]);
    let stage = json!({"restApiId": "a1", "stageName": "prod"});
    let stage = listed("apigateway", "UpdateStage", stage, Value::Null);
    let mut stage = short(&stage);
    stage.sort_unstable();
    assert_eq!(stage, [("RestApi", "a1"), ("Stage", "prod")]);
}

#[test]
fn names_stand_as_the_record_has_them_and_each_once() {
    let arn = "arn:aws:cloudtrail:us-east-1:111122223333:trail/demo";
    let by_arn =
        listed("cloudtrail", "PutEventSelectors", json!({"trailName": arn}), json!({"trailARN": arn}));
    assert_eq!(short(&by_arn), [("Trail", arn)]);
    let by_name = listed("cloudtrail", "StopLogging", json!({"name": "demo"}), Value::Null);
    assert_eq!(short(&by_name), [("Trail", "demo")]);
    let hidden = json!({"name": "HIDDEN_DUE_TO_SECURITY_REASONS"});
    let hidden = listed("cloudtrail", "DeleteTrail", hidden, Value::Null);
    assert_eq!(short(&hidden), [("Trail", "HIDDEN_DUE_TO_SECURITY_REASONS")]);
    let odd = listed("iam", "CreateUser", json!({"userName": "e\0ve"}), Value::Null);
    assert_eq!(short(&odd), [("User", "e\\u0000ve")]);
}

#[test]
fn what_is_tagged_has_no_type_and_an_event_without_a_rule_lists_what_its_service_lists() {
    let tags = json!({"resourcesSet": {"items": [{"resourceId": "i-1"}]}, "tagSet": {"items": [{"key": "resourceId"}]}});
    assert_eq!(listed("ec2", "CreateTags", tags, Value::Null), [("-".to_owned(), "i-1".to_owned())]);
    // No rule: members anywhere, in either spelling.
    let wrapped = json!({"ModifyNewThingRequest": {"VpcId": "vpc-1", "Other": [{"InstanceId": "i-1"}]}});
    let found = listed("ec2", "ModifyNewThing", wrapped, json!({"vpcId": "vpc-2"}));
    assert_eq!(short(&found), [("VPC", "vpc-1"), ("Instance", "i-1")], "the response does not count here");
    // At the top only.
    let nested = json!({"secretId": "s-1", "tags": [{"name": "no"}], "name": ["n-1", ["n-2"]]});
    let found = listed("secretsmanager", "DoNewThing", nested, Value::Null);
    assert_eq!(found.len(), 3, "{found:?}");
    assert_eq!(listed("unknown", "CreateThing", json!({"name": "x"}), Value::Null), []);
}

#[test]
fn thousands_of_names_are_listed_each_once() {
    let items: Vec<Value> = (0..20_000).map(|i| json!({"resourceId": format!("i-{}", i % 10_000)})).collect();
    let found = listed("ec2", "CreateTags", json!({"resourcesSet": {"items": items}}), Value::Null);
    assert_eq!(found.len(), 10_000);
}

/// What a data event names: types without what they begin with, and names.
fn named(
    source: &str,
    event_name: &str,
    own: &[(Option<&str>, &str)],
    request: Value,
) -> Vec<(String, String)> {
    let request = to_raw_value(&request).unwrap();
    let found = of_event(&NamingMembers {
        category: Category::Data,
        event_source: &format!("{source}.amazonaws.com"),
        event_name,
        request: Some(&request),
        response: None,
        own,
    });
    let type_of =
        |resource: &Resource| short_type(resource.resource_type.as_deref().unwrap_or("-")).to_owned();
    found.all().iter().map(|resource| (type_of(resource), resource.resource_name.clone())).collect()
}

#[test]
fn data_events_are_found_by_what_their_own_resources_and_their_parameters_name() {
    let texts = |found: &[(String, String)]| -> Vec<String> {
        found.iter().map(|(kind, name)| format!("{kind} {name}")).collect()
    };
    let request = json!({"bucketName": "b-1", "key": "a/k.txt", "Host": "b-1.s3.amazonaws.com"});
    let object = (Some("AWS::S3::Object"), "arn:aws:s3:::b-1/a/k.txt");
    let bucket = (Some("AWS::S3::Bucket"), "arn:aws:s3:::b-1");
    let whole = ["Object arn:aws:s3:::b-1/a/k.txt", "Bucket arn:aws:s3:::b-1", "Bucket b-1"];
    assert_eq!(texts(&named("s3", "GetObject", &[object, bucket], request.clone())), whole);
    assert_eq!(texts(&named("s3", "GetObject", &[bucket], request.clone())), whole, "the object is known");
    assert_eq!(texts(&named("s3", "GetObject", &[], request)), [whole[0], whole[2]], "as in a refused call");
    assert_eq!(texts(&named("s3", "ListObjects", &[], json!({"bucketName": "b-1"}))), ["Bucket b-1"]);

    let table = (Some("AWS::DynamoDB::Table"), "arn:aws:dynamodb:us-east-1:111122223333:table/t");
    let of_table = named("dynamodb", "GetItem", &[table], json!({"tableName": "t", "key": {"id": 1}}));
    assert_eq!(texts(&of_table), [format!("Table {}", table.1), "Table t".to_owned()]);
    let invoked = named("lambda", "Invoke", &[], json!({"functionName": "f"}));
    assert_eq!(texts(&invoked), ["Function f"]);
    let given_twice =
        named("sns", "Publish", &[(Some("AWS::SNS::Topic"), "arn:t")], json!({"topicArn": "arn:t"}));
    assert_eq!(texts(&given_twice), ["Topic arn:t"]);
    let unknown = named("new", "Do", &[(None, "arn:x"), (Some(""), "arn:y")], json!({"bucketName": "b"}));
    assert_eq!(texts(&unknown), ["- arn:x", "- arn:y"]);
    for odd in [json!(null), json!("text"), json!([1]), json!({"tableName": 7}), json!({"tableName": ""})] {
        assert_eq!(named("dynamodb", "GetItem", &[], odd), []);
    }
}

#[test]
fn names_of_a_data_event_have_one_container_whatever_their_form() {
    for (name, container) in [
        ("b-1", "b-1"),
        ("arn:aws:s3:::b-1", "b-1"),
        ("arn:aws:s3:::b-1/a:b/k.txt", "b-1"),
        ("t", "t"),
        ("arn:aws:dynamodb:us-east-1:111122223333:table/t", "t"),
        ("arn:aws:dynamodb:us-east-1:111122223333:table/t/index/i", "t"),
        ("arn:aws:lambda:us-east-1:111122223333:function:f:live", "f"),
        ("arn:aws:sns:us-east-1:111122223333:topic", "topic"),
        ("arn:aws:sqs:us-east-1:111122223333:q", "q"),
        ("https://sqs.us-east-1.amazonaws.com/111122223333/q", "q"),
        ("arn:", ""),
        ("arn:x", ""),
        ("", ""),
    ] {
        assert_eq!(container_of(name), container, "{name}");
    }
    let named = |names: &[&str]| -> Vec<Resource> {
        let resource = |name: &&str| Resource { resource_type: None, resource_name: (*name).to_owned() };
        names.iter().map(resource).collect()
    };
    assert_eq!(container(&named(&["arn:aws:s3:::b-1/k", "arn:aws:s3:::b-1", "b-1"])), "b-1");
    assert_eq!(container(&named(&["arn:aws:s3:::b-1/k", "b-2"])), "");
    assert_eq!(container(&[]), "");
}

/// The resource that comes first for people, made from a call's rules: each member that names one holds `PART.path`.
fn main_of(source: &str, event_name: &str) -> String {
    let (mut request, mut response) = (json!({}), json!({}));
    for member in super::rules::resource_members(&format!("{source}.amazonaws.com"), event_name) {
        let Path::Members(path) = &member.path else { continue };
        let (part, into) = match member.part {
            Part::Request => ("request", &mut request),
            Part::Response => ("response", &mut response),
        };
        put(into, path, json!(format!("{part}.{}", path.join("."))));
    }
    let (request, response) = (to_raw_value(&request).unwrap(), to_raw_value(&response).unwrap());
    let found = of_event(&NamingMembers {
        category: Category::Management,
        event_source: &format!("{source}.amazonaws.com"),
        event_name,
        request: Some(&request),
        response: Some(&response),
        own: &[],
    });
    let main = found.all().get(found.main());
    main.map_or_else(|| "none".to_owned(), |resource| resource.resource_name.clone())
}

#[test]
fn the_resource_that_a_call_was_about_comes_first_for_people() {
    for (source, event_name, main) in [
        ("iam", "CreateUser", "request.userName"),
        ("iam", "CreateRole", "request.roleName"),
        ("iam", "AttachUserPolicy", "request.userName"),
        ("iam", "AddUserToGroup", "request.userName"),
        ("iam", "CreateAccessKey", "request.userName"),
        ("iam", "DeleteAccessKey", "request.accessKeyId"),
        ("sts", "AssumeRole", "request.roleArn"),
        ("sts", "AssumeRoleWithSAML", "request.roleArn"),
        ("ec2", "RunInstances", "response.instancesSet.items.instanceId"),
        ("lambda", "CreateFunction20150331", "response.functionName"),
        ("sts", "GetCallerIdentity", "none"),
    ] {
        assert_eq!(main_of(source, event_name), main, "{event_name}");
    }
}

#[test]
fn types_have_a_short_form() {
    assert_eq!(short_type("AWS::CloudTrail::Trail"), "Trail");
    assert_eq!(short_type("Trail"), "Trail");
}
