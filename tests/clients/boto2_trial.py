"""boto 2.49, the client of the API's first years: the long target prefix, and nothing read out of answers."""

import json
import os
import time
from urllib.parse import urlsplit

from boto2 import cloudtrail  # Before all of boto.

from boto.cloudtrail import exceptions
from boto.exception import JSONResponseError

ACCOUNT = os.environ["AWS_ACCESS_KEY_ID"]
ARN = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/audit"
server = urlsplit(os.environ["AWS_ENDPOINT_URL_CLOUDTRAIL"])
client = cloudtrail(server)
began = int(time.time())


class LastRequestId:
    """boto gives answers without their headers; a hook sees them."""

    def handle_request_data(self, request, response, error=False):
        self.value = response.getheader("x-amzn-RequestId")


request_id = LastRequestId()
client.set_request_hook(request_id)


def step(text):
    print(text, flush=True)


def equal(found, expected):
    assert found == expected, f"{found!r} is not {expected!r}"


def refused(error, code, call, *arguments, **named):
    try:
        call(*arguments, **named)
    except error as e:
        equal((type(e), e.status, e.body["__type"]), (error, 400, code))
        assert e.body["Message"], "a refusal says why"
        return
    raise AssertionError(f"not refused with {code}")


def just_now(moment):
    assert isinstance(moment, (int, float)), f"{moment!r} is no number"
    assert began <= moment <= time.time(), f"{moment} is not since {began}"


def lookup(key=None, value=None, **arguments):
    """boto does not retry what is throttled."""
    if key:
        arguments["lookup_attributes"] = [{"AttributeKey": key, "AttributeValue": value}]
    for _ in range(100):
        try:
            return client.lookup_events(**arguments)
        except JSONResponseError as e:
            if e.error_code != "ThrottlingException":
                raise
            time.sleep(0.2)
    raise AssertionError("throttled for ever")


def names(answer):
    return [event["EventName"] for event in answer["Events"]]


step("creates a trail")
trail = client.create_trail("audit", "boto2-logs")
equal((trail["Name"], trail["S3BucketName"], trail["TrailARN"]), ("audit", "boto2-logs", ARN))
taken = "TrailAlreadyExistsException"
refused(exceptions.TrailAlreadyExistsException, taken, client.create_trail, "audit", "boto2-logs")
no_bucket = "InvalidS3BucketNameException"
refused(exceptions.InvalidS3BucketNameException, no_bucket, client.create_trail, "other", "NO")

step("describes it")
(described,) = client.describe_trails()["trailList"]
equal((described["TrailARN"], described["HomeRegion"]), (ARN, "us-east-1"))
equal(client.describe_trails(trail_name_list=["absent"]), {"trailList": []})

step("starts logging")
equal(client.get_trail_status("audit")["IsLogging"], False)
equal(client.start_logging("audit"), {})
status = client.get_trail_status("audit")
equal(status["IsLogging"], True)
just_now(status["StartLoggingTime"])

step("makes some calls")
equal(client.update_trail("audit", s3_key_prefix="boto2")["S3KeyPrefix"], "boto2")
updated = request_id.value
unknown = "TrailNotFoundException"
refused(exceptions.TrailNotFoundException, unknown, client.update_trail, "absent", s3_key_prefix="x")
absent = request_id.value
client.create_trail("second", "boto2-logs")
equal(client.delete_trail("second"), {})

step("looks them up by name")
events = lookup("EventName", "UpdateTrail")["Events"]
equal(len(events), 2)
for event, call in zip(events, [absent, updated]):
    equal((event["EventName"], event["ReadOnly"], event["Username"]), ("UpdateTrail", "false", "root"))
    just_now(event["EventTime"])
    record = json.loads(event["CloudTrailEvent"])
    equal((record["requestID"], record["eventID"]), (call, event["EventId"]))
    assert record["userAgent"].startswith("Boto/2.49.0"), record["userAgent"]
equal(json.loads(events[0]["CloudTrailEvent"])["errorCode"], "TrailNotFoundException")
equal(json.loads(events[1]["CloudTrailEvent"])["requestParameters"], {"name": "audit", "s3KeyPrefix": "boto2"})

step("looks them up by resource and time")
everything = ["DeleteTrail", "CreateTrail", "UpdateTrail", "UpdateTrail"]
equal(names(lookup("ResourceName", "second")), everything[:2])
equal(names(lookup(start_time=began, end_time=began + 3600)), everything)
equal(names(lookup(end_time=began - 60)), [])

step("pages through")
found, token = [], None
while token or not found:
    page = lookup(max_results=1, next_token=token)
    equal(len(page["Events"]), 1)
    found += page["Events"]
    token = page.get("NextToken")
equal([event["EventName"] for event in found], everything)
equal(len({event["EventId"] for event in found}), 4)

step("is throttled")
for attempt in range(50):
    try:
        client.lookup_events()
    except JSONResponseError as e:
        equal((e.status, e.error_code, e.error_message), (400, "ThrottlingException", "Rate exceeded"))
        break
else:
    raise AssertionError("50 lookups in a row")

step("stops logging")
equal(client.stop_logging("audit"), {})
status = client.get_trail_status("audit")
equal(status["IsLogging"], False)
just_now(status["StopLoggingTime"])

step("deletes the trail")
equal(client.delete_trail("audit"), {})
equal(client.describe_trails(), {"trailList": []})
refused(exceptions.TrailNotFoundException, unknown, client.get_trail_status, "audit")
refused(exceptions.TrailNotFoundException, unknown, client.delete_trail, "audit")
