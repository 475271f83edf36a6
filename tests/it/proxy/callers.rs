//! Who is behind the keys that the upstream hands out.

use super::{form_call_as, in_front};
use crate::support::TestServer;
use crate::support::upstream::Upstream;
use serde_json::{Value, json};

const SECRET: &str = "s3cr3t/v4lue+of=a;key";

/// An answer of the query protocol.
fn answer(operation: &str, result: &str) -> String {
    format!("<{operation}Response><{operation}Result>{result}</{operation}Result></{operation}Response>")
}

/// A call of IAM or STS by the holder of `key`, which is answered with `result`.
async fn answered(
    (server, upstream): (&TestServer, &Upstream),
    key: &str,
    (service, operation, members): (&str, &str, &str),
    result: &str,
) {
    upstream.will_say("200 OK", "text/xml", &answer(operation, result));
    let version = if service == "iam" { "2010-05-08" } else { "2011-06-15" };
    let form = format!("Action={operation}&Version={version}{members}");
    assert_eq!(form_call_as(server, key, service, &form).await.status, 200);
}

fn credentials(key: &str) -> String {
    format!(
        "<Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>{SECRET}</SecretAccessKey>\
         <SessionToken>{SECRET}</SessionToken><Expiration>2026-11-22T06:30:00Z</Expiration></Credentials>"
    )
}

/// A user is made, its key is used, and a role is assumed with it.
async fn session(front: (&TestServer, &Upstream)) {
    let user = "<User><UserName>ana</UserName><UserId>AIDAANA</UserId>\
                <Arn>arn:aws:iam::000000000000:user/team/ana</Arn></User>";
    answered(front, "test", ("iam", "CreateUser", "&UserName=ana&Path=/team/"), user).await;
    let key = format!(
        "<AccessKey><UserName>ana</UserName><AccessKeyId>AKIAANA</AccessKeyId><Status>Active</Status>\
         <SecretAccessKey>{SECRET}</SecretAccessKey></AccessKey>"
    );
    answered(front, "test", ("iam", "CreateAccessKey", "&UserName=ana"), &key).await;
    answered(front, "AKIAANA", ("iam", "DeleteGroup", "&GroupName=old"), "").await;
    let role = format!(
        "{}<AssumedRoleUser><AssumedRoleId>AROADEPLOYER:ci</AssumedRoleId>\
         <Arn>arn:aws:sts::000000000000:assumed-role/deployer/ci</Arn></AssumedRoleUser>",
        credentials("ASIADEPLOYER")
    );
    let asked = "&RoleArn=arn:aws:iam::000000000000:role/apps/deployer&RoleSessionName=ci";
    answered(front, "AKIAANA", ("sts", "AssumeRole", asked), &role).await;
    answered(front, "ASIADEPLOYER", ("iam", "DeleteGroup", "&GroupName=older"), "").await;
}

/// The names of the events that a lookup finds, oldest first.
async fn found(server: &TestServer, attribute: &str, value: &str) -> Vec<String> {
    let lookup = json!({"LookupAttributes": [{"AttributeKey": attribute, "AttributeValue": value}]});
    let answer = server.ok("LookupEvents", lookup).await;
    let events = answer["Events"].as_array().unwrap().iter().rev();
    events.map(|event| event["EventName"].as_str().unwrap().to_owned()).collect()
}

async fn every_step_is_found(server: &TestServer) {
    assert_eq!(found(server, "Username", "ana").await, ["DeleteGroup", "AssumeRole"]);
    assert_eq!(found(server, "Username", "ci").await, ["DeleteGroup"]);
    assert_eq!(found(server, "AccessKeyId", "AKIAANA").await, ["DeleteGroup", "AssumeRole"]);
    assert_eq!(found(server, "AccessKeyId", "ASIADEPLOYER").await, ["DeleteGroup"]);
    assert_eq!(found(server, "ResourceName", "ana").await, ["CreateUser", "CreateAccessKey"]);
    assert_eq!(found(server, "ResourceName", "AKIAANA").await, ["CreateAccessKey"]);
    assert_eq!(found(server, "ResourceName", "ASIADEPLOYER").await, ["AssumeRole"]);
    let role = "arn:aws:iam::000000000000:role/apps/deployer";
    assert_eq!(found(server, "ResourceName", role).await, ["AssumeRole"]);
    assert_eq!(found(server, "ResourceName", "older").await, ["DeleteGroup"]);
}

/// Asks CloudTrail itself, with some keys.
async fn ask_as(server: &TestServer, keys: &[&str]) {
    for key in keys {
        server.call_as(key, "us-east-1", "DescribeTrails", json!({})).await;
    }
}

/// The identities in the records of all calls of this name.
async fn callers_of(server: &TestServer, event_name: &str) -> Vec<Value> {
    let records = server.records().await.into_iter();
    let of_event = records.filter(|record| record["eventName"] == event_name);
    of_event.map(|record| record["userIdentity"].clone()).collect()
}

const TODAY: &[(&str, &str)] = &[("era", "today"), ("limits.lookup_events_per_second", "0")];

#[tokio::test]
async fn lookups_find_every_step_of_a_user_and_a_role_also_after_a_restart() {
    let (server, upstream) = in_front(TODAY).await;
    session((&server, &upstream)).await;
    server.settle().await;
    every_step_is_found(&server).await;
    let records = server.records().await;
    insta::assert_json_snapshot!([&records[2]["userIdentity"], &records[4]["userIdentity"]], @r#"
    [
      {
        "type": "IAMUser",
        "principalId": "AIDAANA",
        "arn": "arn:aws:iam::000000000000:user/team/ana",
        "accountId": "000000000000",
        "accessKeyId": "AKIAANA",
        "userName": "ana"
      },
      {
        "type": "AssumedRole",
        "principalId": "AROADEPLOYER:ci",
        "arn": "arn:aws:sts::000000000000:assumed-role/deployer/ci",
        "accountId": "000000000000",
        "accessKeyId": "ASIADEPLOYER",
        "sessionContext": {
          "sessionIssuer": {
            "type": "Role",
            "principalId": "AROADEPLOYER",
            "arn": "arn:aws:iam::000000000000:role/apps/deployer",
            "accountId": "000000000000",
            "userName": "deployer"
          },
          "attributes": {
            "creationDate": "2026-11-22T05:30:00Z",
            "mfaAuthenticated": "false"
          }
        }
      }
    ]
    "#);

    let server = server.restart_with(&[]).await;
    every_step_is_found(&server).await;
    answered((&server, &upstream), "ASIADEPLOYER", ("iam", "DeleteGroup", "&GroupName=oldest"), "").await;
    server.settle().await;
    assert_eq!(found(&server, "Username", "ci").await, ["DeleteGroup", "DeleteGroup"]);
    let records = server.records().await;
    let deletes: Vec<_> = records.iter().filter(|record| record["eventName"] == "DeleteGroup").collect();
    assert_eq!(deletes[2]["userIdentity"], deletes[1]["userIdentity"], "nothing of it is forgotten");
}

#[tokio::test]
async fn a_strict_server_learns_as_well() {
    let (server, upstream) = in_front(&[TODAY[0], TODAY[1], ("recorder.strict", "true")]).await;
    session((&server, &upstream)).await;
    server.settle().await;
    every_step_is_found(&server).await;
}

#[tokio::test]
async fn what_the_database_does_not_take_counts_and_is_stored_later() {
    let (server, upstream) = in_front(TODAY).await;
    let database = rusqlite::Connection::open(server.folder.path().join("contrail.db")).unwrap();
    let broken =
        "CREATE TRIGGER broken BEFORE INSERT ON learned_keys BEGIN SELECT RAISE(ABORT, 'broken'); END";
    database.execute_batch(broken).unwrap();
    session((&server, &upstream)).await;
    server.settle().await;
    every_step_is_found(&server).await;
    let stored =
        || database.query_row("SELECT count(*) FROM learned_keys", [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(stored(), 0);
    // The lookups are recorded, too: nobody else may be writing, as this waits in the server's own thread.
    server.settle().await;
    database.execute_batch("DROP TRIGGER broken").unwrap();
    server.settle().await;
    assert_eq!(stored(), 2);
}

#[tokio::test]
async fn keys_of_sessions_and_federated_users_are_known_and_those_of_trails_calls_too() {
    let (server, upstream) = in_front(TODAY).await;
    let front = (&server, &upstream);
    session(front).await;
    let with_code = "&SerialNumber=arn:aws:iam::000000000000:mfa/ana&TokenCode=123456";
    answered(front, "AKIAANA", ("sts", "GetSessionToken", with_code), &credentials("ASIASESSION")).await;
    let guest = format!(
        "{}<FederatedUser><FederatedUserId>000000000000:guest</FederatedUserId>\
         <Arn>arn:aws:sts::000000000000:federated-user/guest</Arn></FederatedUser>",
        credentials("ASIAGUEST")
    );
    answered(front, "AKIAANA", ("sts", "GetFederationToken", "&Name=guest"), &guest).await;
    ask_as(&server, &["ASIASESSION", "ASIAGUEST"]).await;
    let callers = callers_of(&server, "DescribeTrails").await;
    insta::assert_json_snapshot!(callers, @r#"
    [
      {
        "type": "IAMUser",
        "principalId": "AIDAANA",
        "arn": "arn:aws:iam::000000000000:user/team/ana",
        "accountId": "000000000000",
        "accessKeyId": "ASIASESSION",
        "userName": "ana",
        "sessionContext": {
          "attributes": {
            "creationDate": "2026-11-22T05:30:00Z",
            "mfaAuthenticated": "true"
          }
        }
      },
      {
        "type": "FederatedUser",
        "principalId": "000000000000:guest",
        "arn": "arn:aws:sts::000000000000:federated-user/guest",
        "accountId": "000000000000",
        "accessKeyId": "ASIAGUEST",
        "sessionContext": {
          "sessionIssuer": {
            "type": "IAMUser",
            "principalId": "AIDAANA",
            "arn": "arn:aws:iam::000000000000:user/team/ana",
            "accountId": "000000000000",
            "userName": "ana"
          },
          "attributes": {
            "creationDate": "2026-11-22T05:30:00Z",
            "mfaAuthenticated": "false"
          }
        }
      }
    ]
    "#);
    let server = server.restart_with(&[]).await;
    ask_as(&server, &["ASIASESSION", "ASIAGUEST"]).await;
    let again = callers_of(&server, "DescribeTrails").await;
    assert_eq!(again[2..], callers[..], "nothing of it is forgotten");
}

#[tokio::test]
async fn who_comes_with_a_token_of_an_identity_provider_is_shown_as_such() {
    let (server, upstream) = in_front(TODAY).await;
    let result = format!(
        "{}<AssumedRoleUser><AssumedRoleId>AROAAPP:eve</AssumedRoleId>\
         <Arn>arn:aws:sts::000000000000:assumed-role/app/eve</Arn></AssumedRoleUser>\
         <SubjectFromWebIdentityToken>eve-7</SubjectFromWebIdentityToken><Audience>app</Audience>\
         <Provider>accounts.example</Provider>",
        credentials("ASIAAPP")
    );
    upstream.will_say("200 OK", "text/xml", &answer("AssumeRoleWithWebIdentity", &result));
    let form = format!(
        "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleSessionName=eve&WebIdentityToken={SECRET}\
         &RoleArn=arn:aws:iam::000000000000:role/app"
    );
    let request = crate::support::http().post(&server.url);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    request.body(form).send().await.unwrap();
    answered((&server, &upstream), "ASIAAPP", ("iam", "DeleteGroup", "&GroupName=g"), "").await;
    let records = server.records().await;
    insta::assert_json_snapshot!(records[0]["userIdentity"], @r#"
    {
      "type": "WebIdentityUser",
      "principalId": "accounts.example:app:eve-7",
      "userName": "eve-7",
      "identityProvider": "accounts.example"
    }
    "#);
    assert_eq!(
        records[0]["requestParameters"],
        json!({"roleSessionName": "eve", "roleArn": "arn:aws:iam::000000000000:role/app"})
    );
    insta::assert_json_snapshot!(records[1]["userIdentity"]["sessionContext"], @r#"
    {
      "sessionIssuer": {
        "type": "Role",
        "principalId": "AROAAPP",
        "arn": "arn:aws:iam::000000000000:role/app",
        "accountId": "000000000000",
        "userName": "app"
      },
      "webIdFederationData": {
        "federatedProvider": "accounts.example",
        "attributes": {}
      },
      "attributes": {
        "creationDate": "2026-11-22T05:30:00Z",
        "mfaAuthenticated": "false"
      }
    }
    "#);
}

#[tokio::test]
async fn a_role_is_known_also_from_an_answer_that_does_not_name_it() {
    let (server, upstream) = in_front(TODAY).await;
    let front = (&server, &upstream);
    let asked = "&RoleArn=arn:aws:iam::000000000000:role/apps/deployer&RoleSessionName=ci";
    answered(front, "test", ("sts", "AssumeRole", asked), &credentials("ASIADEPLOYER")).await;
    answered(front, "ASIADEPLOYER", ("iam", "DeleteGroup", "&GroupName=g"), "").await;
    let identity = &server.records().await[1]["userIdentity"];
    assert_eq!(identity["arn"], "arn:aws:sts::000000000000:assumed-role/deployer/ci");
    let issuer = &identity["sessionContext"]["sessionIssuer"];
    assert_eq!(issuer["arn"], "arn:aws:iam::000000000000:role/apps/deployer");
    let id = issuer["principalId"].as_str().unwrap();
    assert!(id.starts_with("AROA") && id.len() == 21, "{id}");
}

#[tokio::test]
async fn a_key_belongs_to_the_account_that_the_answer_names() {
    let (server, upstream) = in_front(TODAY).await;
    let front = (&server, &upstream);
    let user = "<User><UserName>ana</UserName><UserId>AIDAANA</UserId>\
                <Arn>arn:aws:iam::123456789012:user/ana</Arn></User>";
    answered(front, "test", ("iam", "CreateUser", "&UserName=ana"), user).await;
    let key = "<AccessKey><UserName>ana</UserName><AccessKeyId>AKIAANA</AccessKeyId></AccessKey>";
    answered(front, "test", ("iam", "CreateAccessKey", "&UserName=ana"), key).await;
    // She makes one herself.
    let second = key.replace("AKIAANA", "AKIASECOND");
    answered(front, "AKIAANA", ("iam", "CreateAccessKey", "&UserName=ana"), &second).await;
    answered(front, "AKIASECOND", ("iam", "DeleteGroup", "&GroupName=g"), "").await;
    let own = server.get("/_contrail/events?account=123456789012").await.text;
    let last: Value = serde_json::from_str(own.lines().last().unwrap()).unwrap();
    assert_eq!(last["userIdentity"]["principalId"], "AIDAANA");
    let role = format!(
        "{}<AssumedRoleUser><AssumedRoleId>AROAX:ci</AssumedRoleId>\
         <Arn>arn:aws:sts::123456789012:assumed-role/app/ci</Arn></AssumedRoleUser>",
        credentials("ASIAAPP")
    );
    let asked = "&RoleArn=arn:aws:iam::000000000000:role/app&RoleSessionName=ci";
    answered(front, "test", ("sts", "AssumeRole", asked), &role).await;
    for key in ["AKIAANA", "ASIAAPP"] {
        answered(front, key, ("iam", "DeleteGroup", "&GroupName=g"), "").await;
    }
    let server = &server;
    let events = |account: &str| {
        let path = format!("/_contrail/events?account={account}");
        async move { server.get(&path).await.text.lines().count() }
    };
    assert_eq!((events("000000000000").await, events("123456789012").await), (3, 4));
}

#[tokio::test]
async fn keys_that_have_been_over_for_a_week_are_forgotten() {
    let (server, upstream) = in_front(TODAY).await;
    session((&server, &upstream)).await;
    server.settle().await;
    let database = rusqlite::Connection::open(server.folder.path().join("contrail.db")).unwrap();
    let keys = || -> Vec<String> {
        let mut keys = database.prepare("SELECT access_key_id FROM learned_keys ORDER BY 1").unwrap();
        keys.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    assert_eq!(keys(), ["AKIAANA", "ASIADEPLOYER"]);
    let shown = database.query_row(
        "SELECT type, name, session, created, expires FROM learned_key_overview WHERE access_key_id = 'ASIADEPLOYER'",
        [],
        |row| Ok([0, 1, 2, 3, 4].map(|column| row.get::<_, String>(column).unwrap())),
    );
    let expected = ["AssumedRole", "deployer", "ci", "2026-11-22T05:30:00Z", "2026-11-22T06:30:00Z"];
    assert_eq!(shown.unwrap(), expected.map(str::to_owned));
    let hour = 3600;
    server.wait(7 * 24 * hour);
    server.step().await;
    assert_eq!(keys(), ["AKIAANA", "ASIADEPLOYER"], "it expired after an hour");
    server.wait(2 * hour);
    server.step().await;
    assert_eq!(keys(), ["AKIAANA"]);
}

#[tokio::test]
async fn a_deleted_key_is_known_no_more_and_what_was_done_with_it_is_still_its_holders() {
    let (server, upstream) = in_front(&[
        ("era", "today"),
        ("auth.mode", "known"),
        ("auth.proxy", "true"),
        ("identities[0].access_key", "test"),
        ("identities[0].account", "000000000000"),
        ("identities[0].user", "admin"),
    ])
    .await;
    let front = (&server, &upstream);
    session(front).await;
    // With the key itself: the record of the call is hers.
    answered(front, "AKIAANA", ("iam", "DeleteAccessKey", "&UserName=ana&AccessKeyId=AKIAANA"), "").await;
    let again = async |server: &TestServer| {
        let form = "Action=DeleteGroup&Version=2010-05-08&GroupName=again";
        form_call_as(server, "AKIAANA", "iam", form).await.status
    };
    assert_eq!(again(&server).await, 403);
    server.settle().await;
    assert_eq!(found(&server, "Username", "ana").await, ["DeleteGroup", "AssumeRole", "DeleteAccessKey"]);
    let server = server.restart_with(&[]).await;
    assert_eq!(again(&server).await, 403);
    server.wait(8 * 24 * 3600);
    server.step().await;
    let database = rusqlite::Connection::open(server.folder.path().join("contrail.db")).unwrap();
    let keys = "SELECT count(*) FROM learned_keys WHERE access_key_id = 'AKIAANA'";
    assert_eq!(database.query_row(keys, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
}

#[tokio::test]
async fn a_user_who_is_renamed_or_deleted_is_known_as_that() {
    let (server, upstream) = in_front(TODAY).await;
    let front = (&server, &upstream);
    session(front).await;
    answered(front, "test", ("iam", "UpdateUser", "&UserName=ana&NewUserName=bea&NewPath=/ops/"), "").await;
    answered(front, "AKIAANA", ("iam", "DeleteGroup", "&GroupName=g"), "").await;
    server.settle().await;
    let last = server.records().await.pop().unwrap();
    assert_eq!(last["userIdentity"]["userName"], "bea");
    assert_eq!(last["userIdentity"]["arn"], "arn:aws:iam::000000000000:user/ops/bea");
    assert_eq!(last["userIdentity"]["principalId"], "AIDAANA");
    let server = server.restart_with(&[]).await;
    answered((&server, &upstream), "AKIAANA", ("iam", "DeleteGroup", "&GroupName=h"), "").await;
    server.settle().await;
    assert_eq!(server.records().await.pop().unwrap()["userIdentity"], last["userIdentity"]);
    let users = || {
        let database = rusqlite::Connection::open(server.folder.path().join("contrail.db")).unwrap();
        let mut users = database.prepare("SELECT name FROM learned_users").unwrap();
        let users = users.query_map([], |row| row.get::<_, String>(0)).unwrap();
        users.map(Result::unwrap).collect::<Vec<_>>()
    };
    assert_eq!(users(), ["bea"]);
    answered((&server, &upstream), "test", ("iam", "DeleteUser", "&UserName=bea"), "").await;
    server.settle().await;
    assert!(users().is_empty());
}
