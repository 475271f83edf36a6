"""Prowler's checks of CloudTrail: each verdict, for trails of which it is known."""

import json
import os
from pathlib import Path

import boto3

from trial import equal, run, step

ACCOUNT = os.environ["AWS_ACCESS_KEY_ID"]
REGIONS = ["us-east-1", "eu-west-1"]
here, there = (boto3.client("cloudtrail", region_name=region) for region in REGIONS)

step("sets trails up")
here.create_trail(
    Name="wide",
    S3BucketName="prowler-logs",
    IsMultiRegionTrail=True,
    EnableLogFileValidation=True,
    KmsKeyId=f"arn:aws:kms:us-east-1:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555",
)
here.start_logging(Name="wide")
there.create_trail(Name="theirs", S3BucketName="prowler-logs", TagsList=[{"Key": "team"}, {"Key": "b", "Value": "2"}])
here.put_insight_selectors(TrailName="wide", InsightSelectors=[{"InsightType": "ApiCallRateInsight"}])
reads = {"ReadWriteType": "ReadOnly", "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}]}
there.put_event_selectors(TrailName="theirs", EventSelectors=[reads])
here.create_trail(Name="objects", S3BucketName="prowler-logs", TagsList=[{"Key": "team", "Value": "a"}])
fields = {"eventCategory": "Data", "resources.type": "AWS::S3::Object"}
conditions = [{"Field": field, "Equals": [value]} for field, value in fields.items()]
here.put_event_selectors(TrailName="objects", AdvancedEventSelectors=[{"Name": "all", "FieldSelectors": conditions}])

step("has Prowler look at them")
scan = ["aws", "--service", "cloudtrail", "--region", *REGIONS, "--output-formats", "json-ocsf"]
quiet = ["--output-directory", "found", "--output-filename", "found", "--no-banner", "--ignore-exit-code-3"]
run([os.environ["PROWLER"], *scan, *quiet])
verdicts, tags = {}, {}
for finding in json.loads(Path("found/found.ocsf.json").read_text()):
    resource = finding["resources"][0]
    check = finding["metadata"]["event_code"].removeprefix("cloudtrail_")
    verdicts.setdefault(check, {})[resource["region"], resource["name"]] = finding["status_code"]
    # Prowler does not ask for tags of a trail that it saw first in another region than its home.
    tags.setdefault(resource["name"], set()).update(resource["labels"])

step("and finds the verdicts that these trails deserve")
wide, theirs, shadow = ("us-east-1", "wide"), ("eu-west-1", "theirs"), ("eu-west-1", "wide")
objects = ("us-east-1", "objects")
expected = {
    "multi_region_enabled": {wide: "PASS", shadow: "PASS"},
    "multi_region_enabled_logging_management_events": {wide: "PASS", shadow: "PASS"},
    "bedrock_logging_enabled": {wide: "PASS"},
    "log_file_validation_enabled": {wide: "PASS", theirs: "FAIL", objects: "FAIL"},
    "kms_encryption_enabled": {wide: "PASS", theirs: "FAIL", objects: "FAIL"},
    "cloudwatch_logging_enabled": {wide: "FAIL", theirs: "FAIL", objects: "FAIL"},
    "insights_exist": {wide: "PASS"},
    "s3_dataevents_read_enabled": {theirs: "PASS", objects: "PASS"},
    "s3_dataevents_write_enabled": {objects: "PASS"},
}
equal({name: verdicts.get(name) for name in expected}, expected)
equal((tags["objects"], tags["theirs"]), ({"team:a"}, {"b:2", "team:"}))
