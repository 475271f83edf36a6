"""boto3 from the first trail to the last: what it reads out of the answers, and what it makes of refusals."""

import json
import os
from datetime import datetime, timedelta, timezone

import boto3
from botocore.config import Config

from trial import equal, step

ACCOUNT = os.environ["AWS_ACCESS_KEY_ID"]
ARN = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/audit"
client = boto3.client("cloudtrail")
hasty = boto3.client("cloudtrail", config=Config(retries={"total_max_attempts": 1}))
began = datetime.now(timezone.utc).replace(microsecond=0)


def refused(error, call, **arguments):
    try:
        call(**arguments)
    except error as e:
        equal(e.response["Error"]["Code"], error.__name__)
        equal(e.response["ResponseMetadata"]["HTTPStatusCode"], 400)
        assert e.response["Error"]["Message"], "a refusal says why"
        return e.response
    raise AssertionError(f"not refused with {error.__name__}")


def just_now(time):
    assert isinstance(time, datetime) and time.tzinfo, f"{time!r} is no moment"
    assert began <= time <= datetime.now(timezone.utc), f"{time} is not since {began}"


def lookup(key=None, value=None, **arguments):
    """Retries by itself until the second is over."""
    if key:
        arguments["LookupAttributes"] = [{"AttributeKey": key, "AttributeValue": value}]
    return client.lookup_events(**arguments)


def names(answer):
    return [event["EventName"] for event in answer["Events"]]


step("creates a trail")
trail = client.create_trail(Name="audit", S3BucketName="boto3-logs")
equal((trail["Name"], trail["S3BucketName"], trail["TrailARN"]), ("audit", "boto3-logs", ARN))
equal((trail["IncludeGlobalServiceEvents"], trail["IsMultiRegionTrail"]), (True, False))
refused(client.exceptions.TrailAlreadyExistsException, client.create_trail, Name="audit", S3BucketName="boto3-logs")
refused(client.exceptions.InvalidTrailNameException, client.create_trail, Name="a", S3BucketName="boto3-logs")
refused(client.exceptions.InvalidS3BucketNameException, client.create_trail, Name="other", S3BucketName="NO")

step("describes it")
(described,) = client.describe_trails()["trailList"]
equal((described["TrailARN"], described["HomeRegion"]), (ARN, "us-east-1"))
(described,) = client.describe_trails(trailNameList=["audit", "absent"])["trailList"]
equal(described["Name"], "audit")
equal(boto3.client("cloudtrail", region_name="eu-west-1").describe_trails()["trailList"], [])

step("starts logging")
status = client.get_trail_status(Name="audit")
equal((status["IsLogging"], status["TimeLoggingStarted"]), (False, ""))
assert "StartLoggingTime" not in status
client.start_logging(Name="audit")
status = client.get_trail_status(Name=ARN)
equal(status["IsLogging"], True)
just_now(status["StartLoggingTime"])
equal(status["TimeLoggingStarted"], status["StartLoggingTime"].strftime("%Y-%m-%dT%H:%M:%SZ"))

step("makes some calls")
updated = client.update_trail(Name="audit", S3KeyPrefix="boto3")
equal((updated["S3KeyPrefix"], updated["TrailARN"]), ("boto3", ARN))
absent = refused(client.exceptions.TrailNotFoundException, client.update_trail, Name="absent", S3KeyPrefix="x")
created = client.create_trail(Name="second", S3BucketName="boto3-logs")
client.delete_trail(Name="second")

step("looks them up by name")
events = lookup("EventName", "UpdateTrail")["Events"]
equal(len(events), 2)
for event, call in zip(events, [absent, updated]):
    equal((event["EventName"], event["EventSource"]), ("UpdateTrail", "cloudtrail.amazonaws.com"))
    equal((event["ReadOnly"], event["Username"], event["AccessKeyId"]), ("false", "root", ACCOUNT))
    just_now(event["EventTime"])
    record = json.loads(event["CloudTrailEvent"])
    equal(record["requestID"], call["ResponseMetadata"]["RequestId"])
    equal(record["eventID"], event["EventId"])
    equal(record["eventTime"], event["EventTime"].astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"))
    equal((record["recipientAccountId"], record["awsRegion"]), (ACCOUNT, "us-east-1"))
    equal(record["userIdentity"]["type"], "Root")
    equal(record["sourceIPAddress"], "127.0.0.1")
    assert record["userAgent"].startswith("Boto3/"), record["userAgent"]
refusal, update = (json.loads(event["CloudTrailEvent"]) for event in events)
equal((refusal["errorCode"], refusal["responseElements"]), ("TrailNotFoundException", None))
equal(refusal["errorMessage"], absent["Error"]["Message"])
equal(update["requestParameters"], {"name": "audit", "s3KeyPrefix": "boto3"})
equal(update["responseElements"]["trailARN"], ARN)
assert "errorCode" not in update
assert {"ResourceType": "Trail", "ResourceName": "audit"} in events[1]["Resources"], events[1]["Resources"]

step("looks them up by id, resource and user")
(event,) = lookup("EventId", events[0]["EventId"])["Events"]
equal(event["CloudTrailEvent"], events[0]["CloudTrailEvent"])
equal(names(lookup("ResourceName", "second")), ["DeleteTrail", "CreateTrail"])
equal(names(lookup("ResourceName", created["TrailARN"])), ["CreateTrail"])
everything = ["DeleteTrail", "CreateTrail", "UpdateTrail", "UpdateTrail"]
# A refused call lists what it asked for.
equal(names(lookup("ResourceName", "absent")), ["UpdateTrail"])
equal(names(lookup("ResourceType", "Trail")), everything)
equal(names(lookup("ResourceType", "AWS::CloudTrail::Trail")), everything)
equal(names(lookup("Username", "root")), everything)
equal(names(lookup("Username", "nobody")), [])

step("looks them up by time")
now = datetime.now(timezone.utc)
equal(names(lookup(StartTime=began, EndTime=now + timedelta(minutes=1))), everything)
equal(names(lookup(EndTime=began - timedelta(minutes=1))), [])
refused(client.exceptions.InvalidTimeRangeException, client.lookup_events, StartTime=now, EndTime=began)

step("pages through")
pages = client.get_paginator("lookup_events").paginate(PaginationConfig={"PageSize": 1})
found = [event for page in pages for event in page["Events"]]
equal([event["EventName"] for event in found], everything)
equal(len({event["EventId"] for event in found}), 4)
token = lookup(MaxResults=1)["NextToken"]
refused(client.exceptions.InvalidNextTokenException, lookup, key="Username", value="root", NextToken=token)

step("is throttled")
for attempt in range(50):
    try:
        hasty.lookup_events()
    except hasty.exceptions.ThrottlingException as e:
        error = e.response["Error"]
        equal((error["Code"], error["Message"]), ("ThrottlingException", "Rate exceeded"))
        equal(e.response["ResponseMetadata"]["HTTPStatusCode"], 400)
        break
else:
    raise AssertionError("50 lookups in a row")

step("stops logging")
client.stop_logging(Name="audit")
status = client.get_trail_status(Name="audit")
equal(status["IsLogging"], False)
just_now(status["StopLoggingTime"])
assert status["StopLoggingTime"] >= status["StartLoggingTime"]
equal(names(lookup("EventName", "StopLogging")), ["StopLogging"])

step("deletes the trail")
client.delete_trail(Name="audit")
equal(client.describe_trails()["trailList"], [])
for call in [client.get_trail_status, client.delete_trail, client.start_logging]:
    refused(client.exceptions.TrailNotFoundException, call, Name="audit")
