"""Cloud Custodian: lists, filters and changes trails, by ARN, by name, and in several regions."""

import json
import os
from pathlib import Path

import boto3

from trial import equal, refused, run, step

REGIONS = ["us-east-1", "eu-west-1"]
here, there = (boto3.client("cloudtrail", region_name=region) for region in REGIONS)


def custodian(*policies, regions=REGIONS):
    """Runs policies, and what each of them found: (policy, region) → names."""
    named = [{"name": f"policy-{number}"} | policy for number, policy in enumerate(policies)]
    Path("policies.json").write_text(json.dumps({"policies": named}))
    chosen = [word for region in regions for word in ("--region", region)]
    command = [os.environ["CUSTODIAN"], "run", "--cache-period", "0", "--output-dir", "found", *chosen, "policies.json"]
    run(command)
    found = []
    for number in range(len(policies)):
        for region in regions:
            # With one region Custodian makes no folder for it.
            folder = Path("found") / (region if len(regions) > 1 else "") / f"policy-{number}"
            resources = json.loads((folder / "resources.json").read_text())
            found.append([resource.get("Name", "the account") for resource in resources])
    return found


def trails(*filters, actions=()):
    return {"resource": "aws.cloudtrail", "filters": list(filters), "actions": list(actions)}


step("lists and filters trails")
here.create_trail(Name="wide", S3BucketName="custodian-logs", IsMultiRegionTrail=True, EnableLogFileValidation=True)
here.create_trail(Name="local", S3BucketName="custodian-logs")
there.create_trail(Name="theirs", S3BucketName="custodian-logs", SnsTopicName="alerts")
here.start_logging(Name="wide")
everything = "EventSelectors[].IncludeManagementEvents"
found = custodian(
    trails(),
    trails({"type": "is-shadow"}),
    trails({"type": "status", "key": "IsLogging", "value": True}),
    trails({"type": "event-selectors", "key": everything, "op": "contains", "value": True}),
    trails({"type": "event-selectors", "key": "EventSelectors[].DataResources[]", "op": "ne", "value": []}),
    trails({"LogFileValidationEnabled": False}),
    trails({"SnsTopicARN": "present"}),
)
equal(
    found,
    [
        *(["local", "wide"], ["theirs", "wide"]),
        *([], ["wide"]),
        *(["wide"], ["wide"]),
        *(["local", "wide"], ["theirs", "wide"]),
        *([], []),
        *(["local"], ["theirs"]),
        *([], ["theirs"]),
    ],
)

step("finds trails by what they take")
data = [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::custodian-1/"]}]
here.put_event_selectors(TrailName="local", EventSelectors=[{"ReadWriteType": "WriteOnly", "DataResources": data}])
chosen = "EventSelectors[].DataResources[]"
writes = {"type": "event-selectors", "key": "EventSelectors[].ReadWriteType", "op": "contains", "value": "WriteOnly"}
found = custodian(
    trails({"type": "event-selectors", "key": f"{chosen}.Type", "op": "contains", "value": "AWS::S3::Object"}),
    trails({"type": "event-selectors", "key": chosen, "op": "ne", "value": []}),
    trails(writes),
    trails({"HasCustomEventSelectors": True}),
)
equal(found, [["local"], []] * 4)

step("checks the account")
check = {"type": "check-cloudtrail", "multi-region": True, "global-events": True, "running": True, "file-digest": True}
account = {"resource": "aws.account"}
good, bad = account | {"filters": [check]}, account | {"filters": [check | {"kms": True}]}
# It finds what breaks the rule.
equal(custodian(good, bad, regions=REGIONS[:1]), [[], ["the account"]])

step("checks whether management events of all kinds are taken")
everything = account | {"filters": [check | {"include-management-events": True}]}
equal(custodian(everything, regions=REGIONS[:1]), [[]])
here.put_event_selectors(TrailName="wide", EventSelectors=[{"ReadWriteType": "WriteOnly"}])
equal(custodian(everything, regions=REGIONS[:1]), [["the account"]])
category = {"Field": "eventCategory", "Equals": ["Management"]}
here.put_event_selectors(TrailName="wide", AdvancedEventSelectors=[{"FieldSelectors": [category]}])
equal(custodian(everything, regions=REGIONS[:1]), [[]])

step("changes, starts, stops and deletes trails")
update = {"type": "update-trail", "attributes": {"S3KeyPrefix": "changed", "EnableLogFileValidation": True}}
custodian(
    trails({"Name": "local"}, actions=[update, {"type": "set-logging", "enabled": True}]),
    trails({"Name": "wide"}, actions=[{"type": "set-logging", "enabled": False}]),
    regions=REGIONS[:1],
)
(local,) = here.describe_trails(trailNameList=["local"])["trailList"]
equal((local["S3KeyPrefix"], local["LogFileValidationEnabled"]), ("changed", True))
equal([here.get_trail_status(Name=name)["IsLogging"] for name in ("local", "wide")], [True, False])
custodian(trails({"Name": "local"}, actions=["delete"]), regions=REGIONS[:1])
refused("TrailNotFoundException", here.get_trail, Name="local")

step("puts the account in order")
# Custodian leaves a policy as it is. Its own lets CloudTrail write to the bucket's ARN, and not to objects: refused, as IAM reads it.
cloudtrail = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}}
statements = [cloudtrail | {"Action": "s3:GetBucketAcl", "Resource": "arn:aws:s3:::custodian-enabled"},
              cloudtrail | {"Action": "s3:PutObject", "Resource": "arn:aws:s3:::custodian-enabled/*"}]
s3 = boto3.client("s3", region_name="eu-west-1")
s3.create_bucket(Bucket="custodian-enabled", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
s3.put_bucket_policy(Bucket="custodian-enabled", Policy=json.dumps({"Version": "2012-10-17", "Statement": statements}))
enable = {"type": "enable-cloudtrail", "trail": "enabled", "bucket": "custodian-enabled", "bucket-region": "eu-west-1"}
custodian(account | {"actions": [enable | {"file-digest": True}]}, regions=REGIONS[:1])
(enabled,) = here.describe_trails(trailNameList=["enabled"])["trailList"]
equal((enabled["IsMultiRegionTrail"], enabled["LogFileValidationEnabled"]), (True, True))
assert not {"SnsTopicName", "SnsTopicARN", "KmsKeyId"} & set(enabled), enabled
equal(here.get_trail_status(Name="enabled")["IsLogging"], True)
equal(custodian(good, regions=REGIONS[:1]), [[]])
