//! Synthetic records of about 1.5 KB, always the same for the same number of events: names, users, sources and resources
//! are distributed as Zipf has it, 70 % only read, times rise over seven days with some disorder.

use std::fmt::Write;

/// Whose records they are; all stand in one account and region, the worst case for a lookup.
pub(crate) const ACCOUNT: &str = "111122223333";
/// Where they happened.
pub(crate) const REGION: &str = "us-east-1";
/// The time of the first record.
pub(crate) const BEGIN: i64 = 1_700_000_000;
/// From the first record to the last.
pub(crate) const SPAN: i64 = 7 * 86_400;

/// (event source, what its calls are about, member that names a resource)
const SERVICES: &[(&str, &[&str], &str)] = &[
    ("ec2", &["Instances", "Volumes", "Snapshots", "Subnets", "SecurityGroups", "Tags"], "instanceId"),
    ("s3", &["BucketAcl", "BucketPolicy", "BucketLocation", "BucketTagging"], "bucketName"),
    ("iam", &["User", "Role", "Policy", "AccessKey", "Group"], "userName"),
    ("kms", &["Key", "Alias", "Grant", "KeyPolicy"], "keyId"),
    ("lambda", &["Function", "Alias", "EventSourceMapping"], "functionName"),
    ("dynamodb", &["Table", "Backup", "TimeToLive"], "tableName"),
    ("sqs", &["Queue", "QueueAttributes"], "queueUrl"),
    ("sns", &["Topic", "Subscription", "TopicAttributes"], "topicArn"),
    ("rds", &["DBInstance", "DBSnapshot", "DBCluster"], "dBInstanceIdentifier"),
    ("secretsmanager", &["Secret", "SecretVersion"], "secretId"),
    ("logs", &["LogGroup", "LogStream", "MetricFilter"], "logGroupName"),
    ("ecs", &["Service", "Task", "Cluster"], "cluster"),
    ("ssm", &["Parameter", "Document", "Association"], "name"),
    ("cloudformation", &["Stack", "ChangeSet", "StackResource"], "stackName"),
];
const READS: &[&str] = &["Describe", "Get", "List"];
const WRITES: &[&str] = &["Create", "Update", "Delete", "Put"];

/// How many users there are.
pub(crate) const USERS: usize = 2000;
/// How many resources each service has.
pub(crate) const RESOURCES: usize = 4_000;

/// splitmix64: small, quick, and the same everywhere.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Chance {
        Chance(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    /// One of `n`, all alike.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    /// One of `n`, where the i-th comes 1/i as often as the first (nearly: by the logarithm).
    fn zipf(&mut self, n: usize) -> usize {
        let even = (self.next() >> 11) as f64 / (1u64 << 53) as f64;
        (((n as f64 + 1.0).powf(even)) as usize).clamp(1, n) - 1
    }
}

/// Makes records one after the other.
pub(crate) struct Records {
    chance: Chance,
    made: usize,
    total: usize,
}

/// The name of a user; low numbers are the busy ones.
pub(crate) fn user(n: usize) -> String {
    format!("user-{n:04}")
}

/// A user's access key.
pub(crate) fn access_key(n: usize) -> String {
    format!("AKIABENCH{n:011}")
}

/// The name of a service's resource; low numbers are the busy ones.
pub(crate) fn resource(service: &str, n: usize) -> String {
    format!("{service}-resource-{n:05}")
}

impl Records {
    /// `total` records are to be made, which sets the distance between their times.
    pub(crate) fn new(total: usize) -> Records {
        Records::seeded(42, total)
    }

    /// The same with another seed: none of them is among those of another one.
    pub(crate) fn seeded(seed: u64, total: usize) -> Records {
        Records { chance: Chance::new(seed), made: 0, total }
    }

    fn uuid(&mut self) -> String {
        let (a, b) = (self.chance.next(), self.chance.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
            a >> 32,
            a >> 16 & 0xffff,
            a & 0xfff,
            b >> 48 & 0xfff,
            b & 0xffff_ffff_ffff
        )
    }

    /// The next record, compact, without a line's end.
    pub(crate) fn push(&mut self, to: &mut String) {
        let chance = &mut self.chance;
        let (service, nouns, member) = SERVICES[chance.zipf(SERVICES.len())];
        let read = chance.below(10) < 7;
        let verbs = if read { READS } else { WRITES };
        let name = format!("{}{}", verbs[chance.zipf(verbs.len())], nouns[chance.zipf(nouns.len())]);
        let (who, role) = (chance.zipf(USERS), chance.below(10) < 3);
        let what = (chance.below(10) < 6).then(|| resource(service, chance.zipf(RESOURCES)));
        let failed = chance.below(100) < 4;
        let disorder = chance.below(300) as i64;
        let time = BEGIN + (SPAN as f64 * self.made as f64 / self.total as f64) as i64 + disorder;
        let time = chrono::DateTime::from_timestamp(time, 0).expect("a time").format("%Y-%m-%dT%H:%M:%SZ");
        self.made += 1;
        let (user, key) = (user(who), access_key(who));
        let _ = if role {
            write!(
                to,
                r#"{{"eventVersion":"1.11","userIdentity":{{"type":"AssumedRole","principalId":"AROABENCH{who:011}:{user}","arn":"arn:aws:sts::{ACCOUNT}:assumed-role/deployer/{user}","accountId":"{ACCOUNT}","accessKeyId":"{key}","sessionContext":{{"sessionIssuer":{{"type":"Role","principalId":"AROABENCH{who:011}","arn":"arn:aws:iam::{ACCOUNT}:role/deployer","accountId":"{ACCOUNT}","userName":"deployer"}},"attributes":{{"creationDate":"{time}","mfaAuthenticated":"false"}}}}}},"#
            )
        } else {
            write!(
                to,
                r#"{{"eventVersion":"1.11","userIdentity":{{"type":"IAMUser","principalId":"AIDABENCH{who:011}","arn":"arn:aws:iam::{ACCOUNT}:user/{user}","accountId":"{ACCOUNT}","accessKeyId":"{key}","userName":"{user}"}},"#
            )
        };
        let _ = write!(
            to,
            r#""eventTime":"{time}","eventSource":"{service}.amazonaws.com","eventName":"{name}","awsRegion":"{REGION}","sourceIPAddress":"192.0.2.{}","userAgent":"bench/1.0 md/rust#{} ua/2.1 os/linux lang/rust#1.94 md/arch#x86_64","#,
            who % 250,
            who % 17
        );
        if failed {
            to.push_str(r#""errorCode":"AccessDenied","errorMessage":"User is not authorized to perform this action on this resource","#);
        }
        to.push_str(r#""requestParameters":{"#);
        if let Some(what) = what {
            let _ = write!(to, r#""{member}":"{what}","#);
        }
        let _ = write!(
            to,
            r#""maxResults":{},"filterSet":{{"items":[{{"name":"tag:team","valueSet":{{"items":[{{"value":"{:016x}"}}]}}}}]}},"#,
            self.chance.below(1000),
            self.chance.next()
        );
        for i in 0..4 {
            let (a, b) = (self.chance.next(), self.chance.next());
            let _ = write!(to, r#""option{i}":"a \"quoted\" text {a:016x}{b:016x}","#);
        }
        to.pop();
        to.push_str(r#"},"responseElements":"#);
        if read || failed {
            to.push_str("null");
        } else {
            let _ = write!(to, r#"{{"requestId":"{}","return":true,"#, self.uuid());
            let _ = write!(to, r#""status":{{"state":"pending","token":"{}"}}}}"#, self.uuid());
        }
        let (request, event) = (self.uuid(), self.uuid());
        let _ = write!(
            to,
            r#","requestID":"{request}","eventID":"{event}","readOnly":{read},"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"{ACCOUNT}","eventCategory":"Management","tlsDetails":{{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"{service}.{REGION}.amazonaws.com"}}}}"#
        );
    }
}
