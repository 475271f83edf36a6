"""The life of Terraform's aws_cloudtrail: the calls that provider 5.25 and later makes, in its order and
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
SELECTORS = ("event_selector", "advanced_event_selector", "insight_selector")
LOGS = ("cloud_watch_logs_group_arn", "cloud_watch_logs_role_arn")


def configuration(**arguments):
    """A resource block, with the defaults of the provider's schema."""
    defaults = {name: default for name, (_, _, default) in ARGUMENTS.items()}
    return defaults | {"enable_logging": True, "tags": {}} | dict.fromkeys(SELECTORS, []) | arguments


def management(kind="All", excluded=(), data=()):
    """An event_selector block, as the provider sends it."""
    block = {"IncludeManagementEvents": True, "ReadWriteType": kind, "DataResources": list(data)}
    return block | ({"ExcludeManagementEventSources": sorted(excluded)} if excluded else {})


def advanced(*fields, name=""):
    """An advanced_event_selector block."""
    return {"Name": name, "FieldSelectors": list(fields)}


def canonical(block):
    """A block as the provider compares it: what is a set there has no order, what has no values is not there."""
    block = dict(block)
    if excluded := block.pop("ExcludeManagementEventSources", []):
        block["ExcludeManagementEventSources"] = sorted(excluded)
    if "FieldSelectors" in block:
        fields = [{name: value for name, value in field.items() if value} for field in block["FieldSelectors"]]
        block["FieldSelectors"] = sorted(fields, key=lambda field: field["Field"])
    return block


def put_selectors(trail_id, old, wanted):
    """The calls that PutEventSelectors and PutInsightSelectors need; whether one of them was refused."""
    refused = False
    if old["event_selector"] != wanted["event_selector"]:
        selectors = wanted["event_selector"] or [management()]
        call("PutEventSelectors", TrailName=trail_id, EventSelectors=selectors)
    if old["advanced_event_selector"] != wanted["advanced_event_selector"]:
        asked = {"TrailName": trail_id, "AdvancedEventSelectors": wanted["advanced_event_selector"]}
        status, answer = ask("PutEventSelectors", asked, REGION)
        # Whoever takes the last block away sends an empty list.
        refused = not asked["AdvancedEventSelectors"]
        equal((status, answer.get("__type")), (400, "InvalidEventSelectorsException") if refused else (200, None))
    if old["insight_selector"] != wanted["insight_selector"]:
        call("PutInsightSelectors", TrailName=trail_id, InsightSelectors=wanted["insight_selector"])
    return refused


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
    put_selectors(arn, configuration(), wanted)
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
    state |= dict.fromkeys(SELECTORS, [])
    if trail.get("HasCustomEventSelectors"):
        found = call("GetEventSelectors", TrailName=trail_id)
        state["event_selector"] = [canonical(block) for block in found.get("EventSelectors", [])]
        state["advanced_event_selector"] = [canonical(block) for block in found.get("AdvancedEventSelectors", [])]
    if trail.get("HasInsightSelectors"):
        state["insight_selector"] = call("GetInsightSelectors", TrailName=trail_id)["InsightSelectors"]
    # No check of the length: the provider makes none either.
    tags = call("ListTags", ResourceIdList=[trail["TrailARN"]])["ResourceTagList"][0]["TagsList"]
    state["tags"] = {tag["Key"]: tag["Value"] for tag in tags}
    return state


def plan(trail_id, wanted):
    """What differs: (argument, as it is, as it should be)."""
    state = read(trail_id)
    wanted = dict(wanted)
    for name in SELECTORS[:2]:
        wanted[name] = [canonical(block) for block in wanted[name]]
    # The insight types are a set.
    for side in (state, wanted):
        side["insight_selector"] = sorted(side["insight_selector"], key=lambda block: block["InsightType"])
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
    refused = put_selectors(trail_id, old, wanted)
    equal(plan(trail_id, wanted), [])
    return refused


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

step("changes selectors of every kind, and finds no difference afterwards")
objects = {"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::", "arn:aws:s3:::b-1/in"]}
functions = {"Type": "AWS::Lambda::Function", "Values": ["arn:aws:lambda"]}
category = {"Field": "eventCategory", "Equals": ["Data"]}
kind = {"Field": "resources.type", "Equals": ["AWS::S3::Object"]}
arns = {"Field": "resources.ARN", "StartsWith": ["arn:aws:s3:::b-1/", "arn:aws:s3:::a-1/"], "NotEndsWith": [".tmp"]}
manage = {"Field": "eventCategory", "Equals": ["Management"]}
for change in [
    {"event_selector": [management("WriteOnly")]},
    {"event_selector": [management(excluded=["rdsdata.amazonaws.com", "kms.amazonaws.com"])]},
    {"event_selector": [management(data=[functions, objects]), management("ReadOnly", data=[objects])]},
    {"insight_selector": [{"InsightType": "ApiErrorRateInsight"}]},
    {"insight_selector": [{"InsightType": "ApiErrorRateInsight"}, {"InsightType": "ApiCallRateInsight"}]},
    {"event_selector": []},
    {"insight_selector": []},
    {"advanced_event_selector": [advanced(manage), advanced(category, arns, kind, name="objects")]},
    {"advanced_event_selector": [advanced(kind, category)], "enable_logging": False},
    {"event_selector": [management("ReadOnly")], "advanced_event_selector": [], "enable_logging": True},
    {"event_selector": [], "advanced_event_selector": [advanced(manage)]},
    {"event_selector": [management(data=[objects])], "advanced_event_selector": []},
    {"event_selector": []},
]:
    before, wanted = wanted, wanted | change
    # From advanced to basic selectors: the apply fails at its last call, and has done all that it should.
    equal(update(arn, arn, wanted), bool(before["advanced_event_selector"]) and not wanted["advanced_event_selector"])

step("creates a trail with selectors")
chosen = {"event_selector": [management(data=[objects])], "insight_selector": [{"InsightType": "ApiCallRateInsight"}]}
selecting = configuration(name="selecting", s3_bucket_name="terraform-logs", **chosen)
selector = create(selecting)
equal(plan(selector, selecting), [])
equal(delete(selector), True)

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
