//! Policies of callers and of buckets: whatever is taken can be asked, and a deny for everything denies everything.
#![no_main]

use contrail::domain::policy::resource::{Asker, Everybody, ResourcePolicy};
use contrail::domain::policy::{Decision, Policy, PolicyContext, Target};
use libfuzzer_sys::fuzz_target;
use std::collections::BTreeSet;

fuzz_target!(|text: &str| {
    let context = PolicyContext {
        source_ip: "10.0.0.7".parse().ok(),
        region: "us-east-1",
        time: chrono::DateTime::UNIX_EPOCH,
        user_name: Some("ana"),
        user_id: "AIDAANA",
        principal_arn: "arn:aws:iam::111122223333:user/ana",
        account: "111122223333",
        principal_type: "User",
        user_agent: Some("aws-cli/2"),
        is_secure: false,
        service: None,
    };
    let arn = "arn:aws:s3:::box/key";
    if let Ok(policy) = Policy::parse(text) {
        for target in [Target::Nothing, Target::Unknown, Target::Arn(arn)] {
            _ = policy.decide("s3:GetObject", target, &context);
        }
        // What is allowed although it is not known what it is, is allowed when that is known.
        if policy.decide_everything(Some("s3"), &context) == Decision::Allowed {
            assert_eq!(policy.decide("s3:GetObject", Target::Arn(arn), &context), Decision::Allowed);
        }
        _ = policy.actions_of_no_call(&BTreeSet::from(["s3:GetObject".to_owned()]));
    }
    if let Some(policy) = ResourcePolicy::parse(text) {
        let asker = Asker { account: "111122223333", arn: context.principal_arn, role_arn: None };
        let open = policy.decide(asker, Everybody::Counts, ("s3:GetObject", arn), &context);
        let closed = policy.decide(asker, Everybody::IsKeptOut, ("s3:GetObject", arn), &context);
        assert!(closed != Decision::Allowed || open == Decision::Allowed);
    }
});
