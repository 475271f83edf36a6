"""The life of Terraform's aws_cloudtrail without selectors: the calls that provider 5.25 and later makes, in its order and
with its members, and a plan after each apply, which must be empty. Terraform itself cannot be fetched from a registry."""

import os

import boto3

from trial import ENDPOINT, ask, checked, equal, step

ACCOUNT = os.environ["AWS_ACCESS_KEY_ID"]
REGION = "eu-west-1"

# Argument of the resource: member of CreateTrail and UpdateTrail, member of DescribeTrails, what it is when nobody sets it.
ARGUMENTS = {
    "name": ("Name", "Name", None),
    "s3_bucket_name": ("S3BucketName", "S3BucketName", None),
    "s3_key_prefix": ("S3KeyPrefix", "S3KeyPrefix", ""),
    "sns_topic_name": ("SnsTopicName", "SnsTopicARN", ""),
    "include_global_service_events": ("IncludeGlobalServiceEvents", "IncludeGlobalServiceEvents", True),
    "is_multi_region_trail": ("IsMultiRegionTrail", "IsMultiRegionTrail", False),
    "is_organization_trail": ("IsOrganizationTrail", "IsOrganizationTrail", False),
    "enable_log_file_validation": ("EnableLogFileValidation", "LogFileValidationEnabled", False),
    "cloud_watch_logs_group_arn": ("CloudWatchLogsLogGroupArn", "CloudWatchLogsLogGroupArn", ""),
    "cloud_watch_logs_role_arn": ("CloudWatchLogsRoleArn", "CloudWatchLogsRoleArn", ""),
    "kms_key_id": ("KmsKeyId", "KmsKeyId", ""),
}
LOGS = ("cloud_watch_logs_group_arn", "cloud_watch_logs_role_arn")


def configuration(**arguments):
    """A resource block, with the defaults of the provider's schema."""
    defaults = {name: default for name, (_, _, default) in ARGUMENTS.items()}
    return defaults | {"enable_logging": True, "tags": {}} | arguments


def listed(tags):
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def call(operation, **asked):
    return checked(operation, asked, REGION)


def create(wanted):
    """Its id: the trail's ARN."""
    asked = {"Name": wanted["name"], "S3BucketName": wanted["s3_bucket_name"]}
    asked["IncludeGlobalServiceEvents"] = wanted["include_global_service_events"]
    for argument, (member, _, _) in ARGUMENTS.items():
        if wanted[argument]:
            asked[member] = wanted[argument]
    if wanted["tags"]:
        asked["TagsList"] = listed(wanted["tags"])
    arn = call("CreateTrail", **asked)["TrailARN"]
    if wanted["enable_logging"]:
        equal(call("StartLogging", Name=arn), {})
    return arn


def topic_name(trail):
    """The bare name where the topic is at home with the trail and the account is the provider's, else the ARN."""
    if "SnsTopicARN" not in trail:
        return ""
    arn = trail["SnsTopicARN"]
    prefix, _, _, region, account, name = arn.split(":")
    equal(prefix, "arn")
    return name if (region, account) == (trail["HomeRegion"], ACCOUNT) else arn


def read(trail_id):
    """The state, or None for a resource that is gone: it leaves the state without an error."""
    trails = call("DescribeTrails", trailNameList=[trail_id])["trailList"]
    if len(trails) != 1:
        return None
    (trail,) = trails
    state = {}
    for argument, (_, member, default) in ARGUMENTS.items():
        state[argument] = trail.get(member, False if isinstance(default, bool) else "")
    state["sns_topic_name"] = topic_name(trail)
    equal((trail["TrailARN"].split(":")[3], trail["HomeRegion"]), (REGION, REGION))
    state["enable_logging"] = call("GetTrailStatus", Name=trail_id)["IsLogging"]
    if trail.get("HasCustomEventSelectors"):
        call("GetEventSelectors", TrailName=trail_id)
    if trail.get("HasInsightSelectors"):
        call("GetInsightSelectors", TrailName=trail_id)
    # No check of the length: the provider makes none either.
    tags = call("ListTags", ResourceIdList=[trail["TrailARN"]])["ResourceTagList"][0]["TagsList"]
    state["tags"] = {tag["Key"]: tag["Value"] for tag in tags}
    return state


def plan(trail_id, wanted):
    """What differs: (argument, as it is, as it should be)."""
    state = read(trail_id)
    return [(name, state[name], wanted[name]) for name in wanted if state[name] != wanted[name]]


def update(trail_id, arn, wanted):
    old = read(trail_id)
    gone = {key: value for key, value in old["tags"].items() if key not in wanted["tags"]}
    changed = {key: value for key, value in wanted["tags"].items() if old["tags"].get(key) != value}
    if gone:
        call("RemoveTags", ResourceId=arn, TagsList=listed(gone))
    if changed:
        call("AddTags", ResourceId=arn, TagsList=listed(changed))
    asked = {ARGUMENTS[name][0]: wanted[name] for name in ARGUMENTS if old[name] != wanted[name]}
    if any(old[name] != wanted[name] for name in LOGS):
        asked |= {ARGUMENTS[name][0]: wanted[name] for name in LOGS}
    if asked:
        call("UpdateTrail", Name=trail_id, **asked)
    if old["enable_logging"] != wanted["enable_logging"]:
        call("StartLogging" if wanted["enable_logging"] else "StopLogging", Name=trail_id)
    equal(plan(trail_id, wanted), [])


def delete(trail_id):
    """What is gone already counts as deleted."""
    status, answer = ask("DeleteTrail", {"Name": trail_id}, REGION)
    assert status == 200 or answer["__type"] == "TrailNotFoundException", answer
    return status == 200


def arn_of(service, resource, region=REGION):
    return f"arn:aws:{service}:{region}:{ACCOUNT}:{resource}"


step("knows who it is, and has no trail before")
equal(boto3.client("sts", endpoint_url=ENDPOINT).get_caller_identity()["Account"], ACCOUNT)
equal(read(arn_of("cloudtrail", "trail/audit")), None)

step("creates a trail with all arguments, and reads what it wrote")
full = configuration(
    name="audit",
    s3_bucket_name="terraform-logs",
    s3_key_prefix="audit",
    sns_topic_name="alerts",
    is_multi_region_trail=True,
    enable_log_file_validation=True,
    cloud_watch_logs_group_arn=arn_of("logs", "log-group:audit:*"),
    cloud_watch_logs_role_arn=f"arn:aws:iam::{ACCOUNT}:role/audit",
    kms_key_id=arn_of("kms", "key/11111111-2222-3333-4444-555555555555"),
    tags={"team": "platform", "stage": "", "Stage": "test"},
)
arn = create(full)
equal(arn, arn_of("cloudtrail", "trail/audit"))
equal(plan(arn, full), [])

step("changes each argument, and finds no difference afterwards")
wanted = full
for change in [
    {"s3_bucket_name": "terraform-other-logs"},
    {"s3_key_prefix": "other/prefix"},
    {"s3_key_prefix": ""},
    {"s3_key_prefix": "back"},
    {"sns_topic_name": arn_of("sns", "alerts", "us-east-1")},
    {"sns_topic_name": ""},
    {"sns_topic_name": "others"},
    {"kms_key_id": arn_of("kms", "key/99999999-2222-3333-4444-555555555555")},
    {"kms_key_id": ""},
    {"kms_key_id": arn_of("kms", "alias/audit")},
    {"cloud_watch_logs_group_arn": arn_of("logs", "log-group:other:*")},
    {"cloud_watch_logs_role_arn": f"arn:aws:iam::{ACCOUNT}:role/other"},
    {"cloud_watch_logs_group_arn": "", "cloud_watch_logs_role_arn": ""},
    {name: full[name] for name in LOGS},
    {"enable_log_file_validation": False},
    {"enable_log_file_validation": True},
    {"is_multi_region_trail": False},
    {"include_global_service_events": False},
    {"include_global_service_events": True, "is_multi_region_trail": True},
    {"tags": {"team": "other", "stage": "", "Stage": "test"}},
    {"tags": {"stage": "1", "new": "a+b=c@d"}},
    {"tags": {}},
    {"enable_logging": False},
    {"tags": {"back": "again"}, "s3_key_prefix": "audit"},
    {"enable_logging": True},
    full,
]:
    wanted = wanted | change
    update(arn, arn, wanted)

step("sees what others change")
call("UpdateTrail", Name="audit", S3KeyPrefix="drift", EnableLogFileValidation=False)
call("StopLogging", Name="audit")
call("AddTags", ResourceId=arn, TagsList=listed({"drift": "yes"}))
drifted = full["tags"] | {"drift": "yes"}
expected = [
    ("s3_key_prefix", "drift", "audit"),
    ("enable_log_file_validation", False, True),
    ("enable_logging", False, True),
    ("tags", drifted, full["tags"]),
]
equal(plan(arn, full), expected)
update(arn, arn, full)

step("imports by ARN, and by name as before version 6")
equal(plan(arn, full), [])
equal(plan("audit", full), [])
update("audit", arn, full | {"s3_key_prefix": "by-name", "enable_logging": False})
update("audit", arn, full)

step("is refused what AWS refuses, and nothing has changed")
for changed, code in [
    ({"Name": arn, "IncludeGlobalServiceEvents": False}, "InvalidParameterCombinationException"),
    ({"Name": arn, "CloudWatchLogsRoleArn": f"arn:aws:iam::{ACCOUNT}:role/x"}, "InvalidCloudWatchLogsLogGroupArnException"),
    ({"Name": arn, "S3BucketName": "NO"}, "InvalidS3BucketNameException"),
]:
    status, answer = ask("UpdateTrail", changed, REGION)
    equal((status, answer["__type"]), (400, code))
status, answer = ask("CreateTrail", {"Name": "audit", "S3BucketName": "terraform-logs"}, REGION)
equal((status, answer["__type"]), (400, "TrailAlreadyExistsException"))
equal(plan(arn, full), [])

step("renames it, the new one before the old one goes")
renamed = configuration(name="renamed", s3_bucket_name="terraform-logs", enable_logging=False)
other = create(renamed)
equal(plan(other, renamed), [])
equal(delete(arn), True)
equal((read(arn), read("audit")), (None, None))
equal(plan(other, renamed), [])

step("destroys what is gone already")
equal(delete(arn), False)

step("sweeps up")
for trail in call("ListTrails")["Trails"]:
    (found,) = call("DescribeTrails", trailNameList=[trail["TrailARN"]])["trailList"]
    equal((found["Name"], found["HomeRegion"]), (trail["Name"], trail["HomeRegion"]))
    equal(delete(trail["TrailARN"]), True)
equal(call("ListTrails"), {"Trails": []})
