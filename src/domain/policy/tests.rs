//! What policies allow and deny.

use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

fn context() -> PolicyContext<'static> {
    PolicyContext {
        source_ip: Some("192.0.2.7".parse().unwrap()),
        region: "eu-west-1",
        time: "2026-11-22T05:30:00Z".parse().unwrap(),
        user_name: Some("ana"),
        user_id: "AIDAX",
        principal_arn: "arn:aws:iam::111122223333:user/ana",
        account: "111122223333",
        principal_type: "User",
        user_agent: Some("aws-cli/2.0"),
        is_secure: false,
        service: None,
    }
}

fn policy(statements: Value) -> Policy {
    Policy::parse(&json!({"Version": "2012-10-17", "Statement": statements}).to_string()).unwrap()
}

const TRAIL: &str = "arn:aws:cloudtrail:eu-west-1:111122223333:trail/demo";

fn decide(statements: Value) -> Decision {
    policy(statements).decide("cloudtrail:StopLogging", Target::Arn(TRAIL), &context())
}

#[test]
fn what_is_not_allowed_is_refused_and_a_deny_wins() {
    let allow = json!({"Effect": "Allow", "Action": "cloudtrail:*", "Resource": "*"});
    let deny = json!({"Effect": "Deny", "Action": "cloudtrail:StopLogging", "Resource": "*"});
    let other = json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*"});
    assert_eq!(decide(other.clone()), Decision::NotAllowed);
    assert_eq!(decide(allow.clone()), Decision::Allowed);
    assert_eq!(decide(json!([other, allow])), Decision::Allowed);
    assert_eq!(decide(json!([deny, allow])), Decision::Denied);
    assert_eq!(decide(json!([allow, deny])), Decision::Denied);
}

#[test]
fn actions_and_resources_are_patterns() {
    let allows = |action: Value, resource: Value| {
        decide(json!({"Effect": "Allow", "Action": action, "Resource": resource})) == Decision::Allowed
    };
    for action in [
        "cloudtrail:StopLogging",
        "cloudtrail:Stop*",
        "cloudtrail:S?opLogging",
        "CloudTrail:stoplogging",
        "*",
    ] {
        assert!(allows(json!(action), json!("*")), "{action}");
    }
    for action in ["cloudtrail:Stop", "cloudtrail:?", "s3:*", "cloudtrail:StopLogging?"] {
        assert!(!allows(json!(action), json!("*")), "{action}");
    }
    for resource in [
        TRAIL,
        "arn:aws:cloudtrail:*:*:trail/d*",
        "arn:aws:cloudtrail:*",
        "arn:aws:cloudtrail:eu-west-1:${aws:PrincipalAccount}:trail/*",
    ] {
        assert!(allows(json!(["cloudtrail:*"]), json!(["arn:aws:s3:::a", resource])), "{resource}");
    }
    for resource in [
        "arn:aws:cloudtrail:*:*:trail/Demo",
        "arn:aws:cloudtrail:us-*:*:trail/*",
        "arn:aws:cloudtrail:*:*:trail/${aws:username}",
    ] {
        assert!(!allows(json!("*"), json!(resource)), "{resource}");
    }
    let all_but = |action, resource| {
        decide(json!({"Effect": "Allow", "NotAction": action, "NotResource": resource})) == Decision::Allowed
    };
    assert!(all_but("s3:*", "arn:aws:s3:::*"));
    assert!(!all_but("cloudtrail:*", "arn:aws:s3:::*"));
    assert!(!all_but("s3:*", "arn:aws:cloudtrail:*:*:trail/demo"));
}

#[test]
fn variables_stand_for_what_is_known_of_the_caller() {
    let own =
        policy(json!({"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::home/${aws:username}/*"}));
    let context = context();
    assert_eq!(
        own.decide("s3:GetObject", Target::Arn("arn:aws:s3:::home/ana/x"), &context),
        Decision::Allowed
    );
    assert_eq!(
        own.decide("s3:GetObject", Target::Arn("arn:aws:s3:::home/bob/x"), &context),
        Decision::NotAllowed
    );
    let nobody = PolicyContext { user_name: None, ..context.clone() };
    assert_eq!(
        own.decide("s3:GetObject", Target::Arn("arn:aws:s3:::home//x"), &nobody),
        Decision::NotAllowed
    );
    // What a variable stands for is no pattern.
    let star = PolicyContext { user_name: Some("*"), ..context.clone() };
    assert_eq!(
        own.decide("s3:GetObject", Target::Arn("arn:aws:s3:::home/bob/x"), &star),
        Decision::NotAllowed
    );
    let escaped =
        policy(json!({"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::a/${*}${?}${$}"}));
    assert_eq!(
        escaped.decide("s3:GetObject", Target::Arn("arn:aws:s3:::a/*?$"), &context),
        Decision::Allowed
    );
    assert_eq!(
        escaped.decide("s3:GetObject", Target::Arn("arn:aws:s3:::a/bcd"), &context),
        Decision::NotAllowed
    );
    // In the older version they are plain text.
    let old =
        json!({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::${aws:username}"}});
    let old = Policy::parse(&old.to_string()).unwrap();
    assert_eq!(old.decide("s3:GetObject", Target::Arn("arn:aws:s3:::ana"), &context), Decision::NotAllowed);
}

#[test]
fn conditions_hold_as_iam_describes_them() {
    let holds = |operator: &str, key: &str, values: Value| {
        let statement = json!({
            "Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {operator: {key: values}}
        });
        decide(statement) == Decision::Allowed
    };
    for (operator, key, values, expected) in [
        ("StringEquals", "aws:username", json!("ana"), true),
        ("StringEquals", "AWS:UserName", json!(["bob", "ana"]), true),
        ("StringEquals", "aws:username", json!("an*"), false),
        (
            "StringEquals",
            "aws:PrincipalArn",
            json!("arn:aws:iam::${aws:PrincipalAccount}:user/${aws:username}"),
            true,
        ),
        ("StringNotEquals", "aws:username", json!(["bob", "ana"]), false),
        ("StringNotEquals", "aws:username", json!(["bob", "eve"]), true),
        ("StringEqualsIgnoreCase", "aws:username", json!("ANA"), true),
        ("StringNotEqualsIgnoreCase", "aws:username", json!("ANA"), false),
        ("StringLike", "aws:UserAgent", json!("aws-cli/*"), true),
        ("StringNotLike", "aws:UserAgent", json!("aws-cli/*"), false),
        ("ArnLike", "aws:PrincipalArn", json!("arn:aws:iam::*:user/a*"), true),
        ("ArnEquals", "aws:PrincipalArn", json!("arn:aws:iam::111122223333:user/ana"), true),
        ("ArnLike", "aws:PrincipalArn", json!("arn:aws:*:*:*:*"), true),
        ("ArnLike", "aws:PrincipalArn", json!("arn:aws:*:user/ana:*:*"), false),
        ("ArnNotLike", "aws:PrincipalArn", json!("arn:aws:iam::*:user/a*"), false),
        ("IpAddress", "aws:SourceIp", json!("192.0.2.0/24"), true),
        ("IpAddress", "aws:SourceIp", json!(["192.0.3.0/24", "192.0.2.7"]), true),
        ("IpAddress", "aws:SourceIp", json!("0.0.0.0/0"), true),
        ("IpAddress", "aws:SourceIp", json!("192.0.2.8/31"), false),
        ("IpAddress", "aws:SourceIp", json!("::/0"), false),
        ("NotIpAddress", "aws:SourceIp", json!("192.0.2.0/24"), false),
        ("DateGreaterThan", "aws:CurrentTime", json!("2026-11-22T05:29:59Z"), true),
        ("DateGreaterThan", "aws:CurrentTime", json!("2026-11-22T05:30:00Z"), false),
        ("DateGreaterThanEquals", "aws:CurrentTime", json!("2026-11-22T07:30:00+02:00"), true),
        ("DateLessThan", "aws:CurrentTime", json!("2026-11-23"), true),
        ("DateLessThanEquals", "aws:EpochTime", json!(1_795_325_400), true),
        ("DateNotEquals", "aws:CurrentTime", json!("2026-11-22T05:30Z"), false),
        ("NumericLessThan", "aws:EpochTime", json!(1_795_325_401), true),
        ("NumericEquals", "aws:EpochTime", json!("1795325400"), true),
        ("NumericGreaterThanEquals", "aws:EpochTime", json!(1_795_325_401), false),
        ("Bool", "aws:SecureTransport", json!(false), true),
        ("Bool", "aws:SecureTransport", json!("true"), false),
        ("Null", "aws:username", json!(false), true),
        ("Null", "aws:username", json!("true"), false),
        ("StringEqualsIfExists", "aws:username", json!("bob"), false),
    ] {
        assert_eq!(holds(operator, key, values.clone()), expected, "{operator} {key} {values}");
    }
    // All keys and all operators have to hold.
    let both = json!({"StringEquals": {"aws:username": "ana", "aws:RequestedRegion": "us-east-1"}});
    assert_eq!(
        decide(json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": both})),
        Decision::NotAllowed
    );
}

#[test]
fn without_a_value_only_what_is_negated_or_conditional_holds() {
    let nobody = PolicyContext { user_name: None, ..context() };
    for (operator, expected) in [
        ("StringEquals", false),
        ("StringLike", false),
        ("StringNotEquals", true),
        ("StringNotLike", true),
        ("StringEqualsIfExists", true),
        ("StringNotEqualsIfExists", true),
    ] {
        let condition = json!({operator: {"aws:username": "ana"}});
        let policy =
            policy(json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition}));
        let allowed = policy.decide("s3:GetObject", Target::Nothing, &nobody) == Decision::Allowed;
        assert_eq!(allowed, expected, "{operator}");
    }
    let missing = json!({"Null": {"aws:username": "true"}});
    let policy = policy(json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": missing}));
    assert_eq!(policy.decide("s3:GetObject", Target::Nothing, &nobody), Decision::Allowed);
}

#[test]
fn whatever_is_not_understood_is_refused_and_said() {
    let with = |member: &str, value: Value| {
        let mut statement = json!({"Sid": "S", "Effect": "Allow", "Action": "s3:*", "Resource": "*"});
        statement[member] = value;
        json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
    };
    let condition = |condition| with("Condition", condition);
    for (text, why) in [
        ("".to_owned(), "cannot be read"),
        ("[]".to_owned(), "cannot be read"),
        (r#"{"Version": "2012-10-17"}"#.to_owned(), "missing field `Statement`"),
        (r#"{"Version": "2012-10-17", "Statement": []}"#.to_owned(), "has no statement"),
        (r#"{"Version": "2013-10-17", "Statement": []}"#.to_owned(), "no policy version"),
        (with("Principal", json!("*")), "unknown field `Principal`"),
        (with("Effect", json!("allow")), "neither"),
        (with("NotAction", json!("s3:*")), "Action or NotAction"),
        (with("NotResource", json!("*")), "Resource or NotResource"),
        (with("Action", json!([])), "Action is empty"),
        (with("Action", json!("GetObject")), "is no action"),
        (with("Action", json!(1)), "expected a string"),
        (with("Resource", json!("my-bucket")), "is no resource"),
        (with("Resource", json!("arn:aws:s3:::${aws:PrincipalTag/team}")), "aws:PrincipalTag/team"),
        (with("Resource", json!("arn:aws:s3:::${aws:username, 'x'}")), "defaults"),
        (with("Resource", json!("arn:aws:s3:::${aws:username")), "does not end"),
        (condition(json!({"StringEquals": {"aws:SourceVpc": "vpc-1"}})), "aws:SourceVpc"),
        (condition(json!({"StringEquals": {"s3:prefix": "a"}})), "s3:prefix"),
        (condition(json!({"StringMatches": {"aws:username": "a"}})), "StringMatches"),
        (condition(json!({"ForAllValues:StringEquals": {"aws:username": "a"}})), "ForAllValues"),
        (condition(json!({"NullIfExists": {"aws:username": "true"}})), "NullIfExists"),
        (condition(json!({"IpAddress": {"aws:SourceIp": "192.0.2.0/33"}})), "192.0.2.0/33"),
        (condition(json!({"Bool": {"aws:SecureTransport": "yes"}})), "yes"),
        (condition(json!({"DateLessThan": {"aws:CurrentTime": "soon"}})), "soon"),
        (condition(json!({"NumericEquals": {"aws:EpochTime": "NaN"}})), "NaN"),
        (condition(json!({"ArnLike": {"aws:PrincipalArn": "*"}})), "\"*\""),
        (condition(json!({"StringEquals": {"aws:username": []}})), "no value"),
        (
            with("Effect", json!("Allow")).replace(r#""Effect":"#, r#""Effect":"Deny","Effect":"#),
            "duplicate field",
        ),
        (
            condition(json!({"Bool": {"aws:SecureTransport": true}}))
                .replace(r#""Bool":"#, r#""Bool":{"aws:SecureTransport":false},"Bool":"#),
            "occurs twice",
        ),
    ] {
        let error = Policy::parse(&text).expect_err(&text).to_string();
        assert!(error.contains(why), "{text}: {error}");
    }
}

#[test]
fn of_a_resource_that_is_not_known_nothing_is_taken_for_granted() {
    let decide =
        |statements: Value| policy(statements).decide("sqs:SendMessage", Target::Unknown, &context());
    let statement =
        |effect: &str, resource: &str| json!({"Effect": effect, "Action": "sqs:*", "Resource": resource});
    let one = "arn:aws:sqs:us-east-1:111122223333:q";
    assert_eq!(decide(statement("Allow", one)), Decision::NotAllowed);
    assert_eq!(decide(statement("Allow", "arn:aws:sqs:*")), Decision::NotAllowed);
    assert_eq!(
        decide(json!({"Effect": "Allow", "Action": "sqs:*", "NotResource": one})),
        Decision::NotAllowed
    );
    assert_eq!(decide(statement("Allow", "*")), Decision::Allowed);
    assert_eq!(decide(json!([statement("Allow", "*"), statement("Deny", one)])), Decision::Denied);
    let other = json!({"Effect": "Deny", "Action": "sqs:DeleteQueue", "Resource": one});
    assert_eq!(decide(json!([statement("Allow", "*"), other])), Decision::Allowed);
}

/// Statements over few names, so that they meet.
fn statement() -> impl Strategy<Value = Value> {
    let action = prop::sample::select(vec!["*", "a:*", "a:One", "a:T*", "b:?ne", "b:Two"]);
    let resource = prop::sample::select(vec![
        "*",
        "arn:aws:a:::x",
        "arn:aws:a:::*",
        "arn:aws:b:::${aws:username}",
        "arn:aws:b:::y*",
    ]);
    let condition = prop::sample::select(vec![
        json!({}),
        json!({"StringEquals": {"aws:username": "ana"}}),
        json!({"StringNotLike": {"aws:username": "a*"}}),
        json!({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}),
    ]);
    let names = (any::<bool>(), any::<bool>(), any::<bool>());
    (names, action, resource, condition).prop_map(
        |((allows, actions, resources), action, resource, condition)| {
            json!({
                "Effect": if allows { "Allow" } else { "Deny" },
                if actions { "Action" } else { "NotAction" }: action,
                if resources { "Resource" } else { "NotResource" }: resource,
                "Condition": condition,
            })
        },
    )
}

fn request() -> impl Strategy<Value = (&'static str, Target<'static>, PolicyContext<'static>)> {
    let action = prop::sample::select(vec!["a:One", "a:Two", "b:One", "b:Two"]);
    let targets = ["arn:aws:a:::x", "arn:aws:b:::ana", "arn:aws:b:::yy"].map(Target::Arn);
    let resource = prop::sample::select([&targets[..], &[Target::Nothing, Target::Unknown]].concat());
    let user = prop::sample::select(vec![None, Some("ana"), Some("bob")]);
    let address = prop::sample::select(vec![None, Some("192.0.2.7"), Some("198.51.100.1")]);
    (action, resource, user, address).prop_map(|(action, resource, user_name, address)| {
        let source_ip = address.map(|address| address.parse().unwrap());
        (action, resource, PolicyContext { user_name, source_ip, ..context() })
    })
}

fn statements() -> impl Strategy<Value = Vec<Value>> {
    prop::collection::vec(statement(), 1..5)
}

proptest! {
    #[test]
    fn a_deny_never_loses((action, resource, context) in request(), mut all in statements(), mut deny in statement(), at: prop::sample::Index) {
        deny["Effect"] = "Deny".into();
        let alone = policy(deny.clone()).decide(action, resource, &context);
        all.insert(at.index(all.len() + 1), deny);
        if alone == Decision::Denied {
            prop_assert_eq!(policy(all.into()).decide(action, resource, &context), Decision::Denied);
        }
    }

    #[test]
    fn one_more_allow_never_refuses_more((action, resource, context) in request(), all in statements(), mut allow in statement()) {
        let before = policy(all.clone().into()).decide(action, resource, &context);
        allow["Effect"] = "Allow".into();
        let mut wider = all;
        wider.push(allow);
        let after = policy(wider.into()).decide(action, resource, &context);
        prop_assert!(after == before || (before, after) == (Decision::NotAllowed, Decision::Allowed));
    }

    #[test]
    fn widening_what_an_allow_is_about_never_refuses_more((action, resource, context) in request(), all in statements(), at: prop::sample::Index) {
        let before = policy(all.clone().into()).decide(action, resource, &context);
        let mut wider = all;
        let at = at.index(wider.len());
        if wider[at]["Effect"] == "Allow" {
            wider[at] = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
        }
        let after = policy(wider.into()).decide(action, resource, &context);
        prop_assert!(before != Decision::Allowed || after == Decision::Allowed);
    }

    #[test]
    fn the_order_of_statements_says_nothing((action, resource, context) in request(), all in statements().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle()))) {
        let (one, other) = all;
        prop_assert_eq!(
            policy(one.into()).decide(action, resource, &context),
            policy(other.into()).decide(action, resource, &context)
        );
    }

    #[test]
    fn patterns_fit_what_a_regular_expression_fits(pattern in "[ab*?]{0,8}", text in "[ab]{0,10}") {
        let mut possible = vec![vec![false; text.len() + 1]; pattern.len() + 1];
        possible[0][0] = true;
        for (i, c) in pattern.bytes().enumerate() {
            for j in 0..=text.len() {
                possible[i + 1][j] = match c {
                    b'*' => possible[i][j] || (j > 0 && possible[i + 1][j - 1]),
                    b'?' => j > 0 && possible[i][j - 1],
                    c => j > 0 && possible[i][j - 1] && text.as_bytes()[j - 1] == c,
                };
            }
        }
        let syntax = pattern::PolicySyntax::of(Some("2012-10-17"), key::Keys::OfCallers);
        let fits = Pattern::parse(&pattern, syntax).unwrap().matches(&text, &context());
        prop_assert_eq!(fits, possible[pattern.len()][text.len()]);
    }

    #[test]
    fn no_text_makes_reading_a_policy_panic(text in "\\PC{0,200}", key in "\\PC{0,20}", value in "\\PC{0,30}") {
        let _ = Policy::parse(&text);
        let statement = json!({"Effect": "Allow", "Action": value, "Resource": format!("arn:aws:s3:::{value}"), "Condition": {"StringLike": {key: value}}});
        if let Ok(policy) = Policy::parse(&json!({"Version": "2012-10-17", "Statement": statement}).to_string()) {
            policy.decide("s3:GetObject", Target::Arn(&value), &context());
        }
    }
}

/// What a policy says to a call of IAM of which nothing else is known.
fn decide_everything(effect: &str, actions: Value) -> Decision {
    let mut statement = json!({"Effect": effect, "Resource": "*"});
    statement.as_object_mut().unwrap().extend(actions.as_object().unwrap().clone());
    let all = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    let statements = if effect == "Deny" { json!([all, statement]) } else { json!([statement]) };
    policy(statements).decide_everything(Some("iam"), &context())
}

#[test]
fn an_unclear_call_is_allowed_by_what_allows_all_of_its_service() {
    for allowing in [
        json!({"Action": "*"}),
        json!({"Action": "IAM:*"}),
        json!({"Action": "i*:*"}),
        json!({"Action": "*:*"}),
        json!({"Action": ["s3:Get*", "iam:*"]}),
        json!({"NotAction": "s3:*"}),
    ] {
        assert_eq!(decide_everything("Allow", allowing.clone()), Decision::Allowed, "{allowing}");
    }
    for lacking in [
        json!({"Action": "iam:List*"}),
        json!({"Action": "iam:?*"}),
        json!({"Action": "*:*User"}),
        json!({"Action": "s3:*"}),
        json!({"NotAction": "iam:CreateUser"}),
        json!({"NotAction": "*:Create*"}),
    ] {
        assert_eq!(decide_everything("Allow", lacking.clone()), Decision::NotAllowed, "{lacking}");
    }
    let bounded = json!({"Effect": "Allow", "Action": "*", "Resource": "arn:aws:iam::*:user/ana"});
    assert_eq!(policy(bounded).decide_everything(Some("iam"), &context()), Decision::NotAllowed);
}

#[test]
fn an_unclear_call_is_denied_by_what_denies_some_of_its_service() {
    for denying in [
        json!({"Action": "iam:CreateUser"}),
        json!({"Action": "I?m:*"}),
        json!({"Action": "*:Create*"}),
        json!({"Action": "*:*User"}),
        json!({"NotAction": "s3:*"}),
        json!({"NotAction": "iam:List*"}),
    ] {
        assert_eq!(decide_everything("Deny", denying.clone()), Decision::Denied, "{denying}");
    }
    for other in [
        json!({"Action": "s3:*"}),
        json!({"Action": "iamx:*"}),
        json!({"Action": "i?:*"}),
        json!({"NotAction": "iam:*"}),
        json!({"NotAction": "*"}),
    ] {
        assert_eq!(decide_everything("Deny", other.clone()), Decision::Allowed, "{other}");
    }
    let one_user = json!([
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "iam:*", "Resource": "arn:aws:iam::*:user/bob"},
    ]);
    assert_eq!(policy(one_user).decide_everything(Some("iam"), &context()), Decision::Denied);
}

#[test]
fn a_call_of_no_known_service_needs_everything_and_no_deny_at_all() {
    let decide = |statements: Value| policy(statements).decide_everything(None, &context());
    let all = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    let deny = json!({"Effect": "Deny", "Action": "sqs:DeleteQueue", "Resource": "*"});
    assert_eq!(decide(json!([all])), Decision::Allowed);
    assert_eq!(decide(json!([all, deny])), Decision::Denied);
    assert_eq!(
        decide(json!({"Effect": "Allow", "Action": ["iam:*", "s3:*"], "Resource": "*"})),
        Decision::NotAllowed
    );
}
