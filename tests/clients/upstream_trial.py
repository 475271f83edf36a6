"""Contrail in front of moto: calls of other services reach it, and are recorded."""

import os
import urllib.request
import json

import boto3

from trial import equal, refused, step

CONTRAIL = os.environ["AWS_ENDPOINT_URL"]
s3, sqs, trail = (boto3.client(name) for name in ("s3", "sqs", "cloudtrail"))


def recorded():
    """The records of calls of other services, oldest first."""
    with urllib.request.urlopen(f"{CONTRAIL}/_contrail/events") as answer:
        records = [json.loads(line) for line in answer]
    return [r for r in records if r["eventSource"] != "cloudtrail.amazonaws.com"]


step("forwards calls of other services")
s3.create_bucket(Bucket="upstream-logs")
body = os.urandom(3_000_000)
s3.put_object(Bucket="upstream-logs", Key="a b", Body=body)
equal(s3.get_object(Bucket="upstream-logs", Key="a b")["Body"].read(), body)
url = sqs.create_queue(QueueName="upstream")["QueueUrl"]
refused("AWS.SimpleQueueService.NonExistentQueue", sqs.delete_queue, QueueUrl=url + "-absent")

step("answers CloudTrail itself, and delivers to moto")
trail.create_trail(Name="front", S3BucketName="upstream-logs")
trail.start_logging(Name="front")
sqs.delete_queue(QueueUrl=url)
with urllib.request.urlopen(urllib.request.Request(f"{CONTRAIL}/_contrail/flush", method="POST")) as answer:
    flushed = json.load(answer)
equal(flushed["failures"], [])
keys = [o["Key"] for o in s3.list_objects_v2(Bucket="upstream-logs")["Contents"]]
assert flushed["log_files"][0]["key"] in keys, keys

step("has recorded them")
records = recorded()
equal(
    [(r["eventName"], r["eventSource"].split(".")[0], r.get("errorCode")) for r in records],
    [
        ("CreateBucket", "s3", None),
        ("CreateQueue", "sqs", None),
        ("DeleteQueue", "sqs", "QueueDoesNotExist"),
        ("DeleteQueue", "sqs", None),
    ],
)
for record in records:
    equal(record["recipientAccountId"], os.environ["AWS_ACCESS_KEY_ID"])
    # Those of S3 stand in brackets.
    assert record["userAgent"].strip("[]").startswith("Boto3/"), record
names = [e["EventName"] for e in trail.lookup_events()["Events"]]
equal([n for n in names if n.endswith("Queue")], ["DeleteQueue"])
