"""Each operation that is here against botocore's model of it: every member that can be asked is read, every required one is
missed with the right code, and the answers hold what they may."""

import json
import os
import urllib.request

from trial import ENDPOINT, MODEL, ask, checked, equal, step

ACCOUNT = os.environ["AWS_ACCESS_KEY_ID"]
ARN = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/model"
STORE = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:eventdatastore/11111111-2222-4333-8444-555555555555"
TAGS = [{"Key": "team", "Value": "a"}]
SETTINGS = {
    "Name": "model",
    "S3BucketName": "model-logs",
    "S3KeyPrefix": "audit",
    "SnsTopicName": "alerts",
    "IncludeGlobalServiceEvents": True,
    "IsMultiRegionTrail": True,
    "EnableLogFileValidation": True,
    "CloudWatchLogsLogGroupArn": f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:trail:*",
    "CloudWatchLogsRoleArn": f"arn:aws:iam::{ACCOUNT}:role/trail",
    "KmsKeyId": f"arn:aws:kms:us-east-1:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555",
    "IsOrganizationTrail": False,
    "RecursiveLogging": False,
}

OPERATORS = ["StartsWith", "EndsWith", "NotEquals", "NotStartsWith", "NotEndsWith"]
CONDITIONS = [
    {"Field": "resources.ARN", "Equals": ["arn:aws:s3:::model/1"]} | {operator: ["x"] for operator in OPERATORS},
    {"Field": "eventCategory", "Equals": ["Data"]},
    {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
]

# Every operation that is here, asked with every member it has, in an order in which all succeed: in several calls where
# members exclude each other.
CALLS = {
    "CreateTrail": SETTINGS | {"TagsList": TAGS},
    "UpdateTrail": SETTINGS | {"S3KeyPrefix": "other"},
    "GetTrail": {"Name": "model"},
    "DescribeTrails": {"trailNameList": [ARN], "includeShadowTrails": False},
    "ListTrails": {},
    "AddTags": {"ResourceId": ARN, "TagsList": TAGS},
    "ListTags": {"ResourceIdList": [ARN], "NextToken": "reserved"},
    "RemoveTags": {"ResourceId": ARN, "TagsList": TAGS},
    "PutEventSelectors": [
        {"TrailName": "model", "AdvancedEventSelectors": [{"Name": "objects", "FieldSelectors": CONDITIONS}]},
        {
            "TrailName": "model",
            "EventSelectors": [
                {
                    "ReadWriteType": "WriteOnly",
                    "IncludeManagementEvents": True,
                    "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::model/"]}],
                    "ExcludeManagementEventSources": ["kms.amazonaws.com"],
                }
            ],
        },
    ],
    "GetEventSelectors": {"TrailName": ARN},
    "PutInsightSelectors": {
        "TrailName": "model",
        "InsightSelectors": [{"InsightType": "ApiCallRateInsight", "EventCategories": ["Management", "Data"]}],
    },
    "GetInsightSelectors": {"TrailName": ARN},
    "PutEventConfiguration": {
        "TrailName": "model",
        "AggregationConfigurations": [{"Templates": ["API_ACTIVITY"], "EventCategory": "Data"}],
    },
    "GetEventConfiguration": {"TrailName": ARN},
    "StartLogging": {"Name": ARN},
    "GetTrailStatus": {"Name": ARN},
    "StopLogging": {"Name": "model"},
    "LookupEvents": {
        "LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "CreateTrail"}],
        "StartTime": 1790000000.5,
        "EndTime": 4000000000,
        "MaxResults": 1,
    },
    "ListPublicKeys": {"StartTime": 1790000000, "EndTime": 4000000000.5, "NextToken": "reserved"},
    "DeleteTrail": {"Name": "model"},
    "RegisterOrganizationDelegatedAdmin": {"MemberAccountId": "100000000000"},
    "DeregisterOrganizationDelegatedAdmin": {"DelegatedAdminAccountId": "100000000000"},
    "PutResourcePolicy": {"ResourceArn": STORE, "ResourcePolicy": "{}"},
    "GetResourcePolicy": {"ResourceArn": STORE},
    "DeleteResourcePolicy": {"ResourceArn": STORE},
}

# Nothing is there yet that could have a policy.
REFUSED = {name: "ResourceNotFoundException" for name in CALLS if name.endswith("ResourcePolicy")}

# Members that not every call can have.
APART = {
    # Only a page that goes on has one, for the same question: two pages of a lookup below; a list of trails has one page.
    "LookupEvents": {"NextToken", "EventCategory"},
    "ListTrails": {"NextToken"},
    # There are no event data stores.
    "GetInsightSelectors": {"EventDataStore"},
    "PutInsightSelectors": {"EventDataStore", "InsightsDestination"},
    "GetEventConfiguration": {"EventDataStore"},
    "PutEventConfiguration": {"EventDataStore", "MaxEventSize", "ContextKeySelectors"},
}

# What is refused, and how, when a required member is left out.
MISSING = {
    "CreateTrail.Name": "InvalidTrailNameException",
    "CreateTrail.S3BucketName": "InvalidS3BucketNameException",
    "CreateTrail.TagsList.Key": "InvalidTagParameterException",
    "UpdateTrail.Name": "InvalidTrailNameException",
    "GetTrail.Name": "InvalidTrailNameException",
    "AddTags.ResourceId": "CloudTrailARNInvalidException",
    "AddTags.TagsList": "InvalidTagParameterException",
    "AddTags.TagsList.Key": "InvalidTagParameterException",
    "ListTags.ResourceIdList": "CloudTrailARNInvalidException",
    "RemoveTags.ResourceId": "CloudTrailARNInvalidException",
    "RemoveTags.TagsList": "InvalidTagParameterException",
    "RemoveTags.TagsList.Key": "InvalidTagParameterException",
    "PutEventSelectors.TrailName": "InvalidTrailNameException",
    "PutEventSelectors.AdvancedEventSelectors.FieldSelectors": "InvalidEventSelectorsException",
    "PutEventSelectors.AdvancedEventSelectors.FieldSelectors.Field": "InvalidEventSelectorsException",
    "GetEventSelectors.TrailName": "InvalidTrailNameException",
    "PutInsightSelectors.InsightSelectors": "InvalidInsightSelectorsException",
    "PutEventConfiguration.AggregationConfigurations.Templates": "InvalidParameterException",
    "PutEventConfiguration.AggregationConfigurations.EventCategory": "InvalidParameterException",
    "StartLogging.Name": "InvalidTrailNameException",
    "GetTrailStatus.Name": "InvalidTrailNameException",
    "StopLogging.Name": "InvalidTrailNameException",
    "LookupEvents.LookupAttributes.AttributeKey": "InvalidLookupAttributesException",
    "LookupEvents.LookupAttributes.AttributeValue": "InvalidLookupAttributesException",
    "DeleteTrail.Name": "InvalidTrailNameException",
    "RegisterOrganizationDelegatedAdmin.MemberAccountId": "InvalidParameterException",
    "DeregisterOrganizationDelegatedAdmin.DelegatedAdminAccountId": "InvalidParameterException",
    "PutResourcePolicy.ResourceArn": "ResourceARNNotValidException",
    "PutResourcePolicy.ResourcePolicy": "ResourcePolicyNotValidException",
    "GetResourcePolicy.ResourceArn": "ResourceARNNotValidException",
    "DeleteResourcePolicy.ResourceArn": "ResourceARNNotValidException",
}


def members(shape):
    return shape.members if shape else {}


def variants(operation, call, change):
    """(member's path, the call with that member changed) for each member that has a changed form."""

    def walk(asked, shape, path):
        for name, member in members(shape).items():
            if name not in asked:
                continue
            for value in change(shape, name, member):
                kept = {key: old for key, old in asked.items() if key != name}
                yield f"{path}.{name}", kept if value is None else kept | {name: value}
            inside = member.member if member.type_name == "list" else None
            if inside is not None and inside.type_name == "structure":
                for deeper, changed in walk(asked[name][0], inside, f"{path}.{name}"):
                    yield deeper, asked | {name: [changed, *asked[name][1:]]}

    return walk(call, MODEL.operation_model(operation).input_shape, operation)


def left_out(shape, name, _):
    return [None] if name in shape.required_members else []


def of_another_type(_, __, member):
    return [{"string": 7, "boolean": "true", "timestamp": "then", "list": "a"}.get(member.type_name, "1")]


def names(value):
    """The names of all members, as a record spells them."""
    if isinstance(value, dict):
        lower = lambda name: name[:1].lower() + name[1:]
        return {lower(name): names(inside) for name, inside in value.items()}
    return [names(inside) for inside in value] if isinstance(value, list) else None


def recorded(operation, outcome):
    """The records of the calls with this outcome: `false` for success, or an error code."""
    asked = f"account={ACCOUNT}&event_name={operation}&error={outcome}"
    with urllib.request.urlopen(f"{ENDPOINT}/_contrail/events?{asked}") as answer:
        return [json.loads(line) for line in answer]


step("knows which operations are here")
probed = {name: ask(name, {}) for name in MODEL.operation_names}
missing = {name for name, (_, answer) in probed.items() if answer.get("__type") == "UnsupportedOperationException"}
equal(sorted(set(MODEL.operation_names) - missing), sorted(CALLS))

missed = set()
for operation, calls in CALLS.items():
    calls = calls if isinstance(calls, list) else [calls]
    shape = MODEL.operation_model(operation)
    equal(set(members(shape.input_shape)) - APART.get(operation, set()), {name for asked in calls for name in asked})
    for asked in calls:
        step(f"misses what {operation} needs")
        for path, changed in variants(operation, asked, left_out):
            missed.add(path)
            status, answer = ask(operation, changed)
            equal((path, status, answer.get("__type")), (path, 400, MISSING.get(path)))
            # CloudTrail's own errors say so of themselves.
            assert answer["__type"] in [error.name for error in shape.error_shapes], answer
            equal(set(answer), {"__type", "Message"})
        for path, changed in variants(operation, asked, of_another_type):
            status, answer = ask(operation, changed)
            equal((path, status, answer.get("__type")), (path, 400, "SerializationException"))
        step(f"reads all that {operation} can be asked")
        code = REFUSED.get(operation)
        earlier = len(recorded(operation, code or "false"))
        if code:
            equal(ask(operation, asked)[1]["__type"], code)
        else:
            checked(operation, asked)
        records = recorded(operation, code or "false")
        equal(len(records), earlier + 1)
        equal(names(records[-1]["requestParameters"] or {}), names(asked))
equal(missed, set(MISSING))

step("goes on behind a page of a lookup")
page = checked("LookupEvents", {"MaxResults": 1})
checked("LookupEvents", {"MaxResults": 1, "NextToken": page["NextToken"]})
equal(checked("LookupEvents", {"EventCategory": "insight"})["Events"], [])
