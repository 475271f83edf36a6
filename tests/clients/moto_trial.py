"""A trail that delivers to moto's S3, SNS (with a queue behind it) and CloudWatch Logs."""

import gzip
import json
import os
import re
import subprocess
import urllib.request

import boto3

from trial import equal, refused, step

ACCOUNT = os.environ["AWS_ACCESS_KEY_ID"]
CONTRAIL = os.environ["AWS_ENDPOINT_URL_CLOUDTRAIL"]
ARN = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/audit"
trail = boto3.client("cloudtrail")
s3, sns, sqs, logs = (boto3.client(name) for name in ("s3", "sns", "sqs", "logs"))


def flush():
    with urllib.request.urlopen(urllib.request.Request(f"{CONTRAIL}/_contrail/flush", method="POST")) as answer:
        flushed = json.load(answer)
    equal(flushed["failures"], [])
    return [file["key"] for file in flushed["log_files"]]


def read(key):
    body = s3.get_object(Bucket="moto-logs", Key=key)["Body"].read()
    return json.loads(gzip.decompress(body))["Records"]


def message():
    """What the next message in the queue tells."""
    found = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=2).get("Messages", [])
    assert found, "there is a message"
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=found[0]["ReceiptHandle"])
    return json.loads(found[0]["Body"])["Message"]


step("is refused while nothing is there")
settings = dict(Name="audit", S3BucketName="moto-logs")
refused("S3BucketDoesNotExistException", trail.create_trail, **settings)
s3.create_bucket(Bucket="moto-logs")
refused("InsufficientSnsTopicPolicyException", trail.create_trail, **settings, SnsTopicName="files")
group = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:trail:*"
to_logs = dict(CloudWatchLogsLogGroupArn=group, CloudWatchLogsRoleArn=f"arn:aws:iam::{ACCOUNT}:role/logs")
refused("InvalidCloudWatchLogsLogGroupArnException", trail.create_trail, **settings, **to_logs)

step("creates a trail with a topic and a log group")
topic = sns.create_topic(Name="files")["TopicArn"]
queue = sqs.create_queue(QueueName="files")["QueueUrl"]
sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:us-east-1:{ACCOUNT}:files")
logs.create_log_group(logGroupName="trail")
trail.create_trail(**settings, **to_logs, SnsTopicName="files", EnableLogFileValidation=True)
equal(message(), "CloudTrail validation message.")
marks = [item["Key"] for item in s3.list_objects_v2(Bucket="moto-logs")["Contents"]]
equal(marks, [f"AWSLogs/{ACCOUNT}/CloudTrail-Digest/", f"AWSLogs/{ACCOUNT}/CloudTrail/"])
trail.start_logging(Name="audit")

step("delivers")
trail.describe_trails()
trail.update_trail(Name="audit", IncludeGlobalServiceEvents=False)
(key,) = flush()
assert re.fullmatch(rf"AWSLogs/{ACCOUNT}/CloudTrail/us-east-1/\d{{4}}/\d\d/\d\d/{ACCOUNT}_CloudTrail_us-east-1_\d{{8}}T\d{{4}}Z_\w{{16}}\.json\.gz", key), key
records = read(key)
# In any order: a call that only reads is written behind its answer.
equal(sorted(record["eventName"] for record in records), ["DescribeTrails", "UpdateTrail"])
head = s3.head_object(Bucket="moto-logs", Key=key)
equal((head["ContentType"], head["ContentEncoding"], head["ServerSideEncryption"]), ("application/json", "gzip", "AES256"))

step("announces and streams")
equal(json.loads(message()), {"s3Bucket": "moto-logs", "s3ObjectKey": [key]})
stream = f"{ACCOUNT}_CloudTrail_us-east-1"
events = logs.get_log_events(logGroupName="trail", logStreamName=stream, startFromHead=True)["events"]
equal([json.loads(event["message"]) for event in events], records)

step("says so")
status = trail.get_trail_status(Name="audit")
for member in ("LatestDeliveryTime", "LatestNotificationTime", "LatestCloudWatchLogsDeliveryTime", "LatestDigestDeliveryTime"):
    assert member in status, (member, status)
assert not [member for member in status if member.endswith("Error")], status

step("validates")
validate = ["aws", "cloudtrail", "validate-logs", "--trail-arn", ARN, "--start-time", "2026-01-01", "--verbose"]
done = subprocess.run(validate, capture_output=True, text=True)
assert done.returncode == 0 and "1/1 log files valid" in done.stdout, (done.stdout, done.stderr)
s3.put_object(Bucket="moto-logs", Key=key, Body=gzip.compress(b'{"Records":[]}'))
done = subprocess.run(validate, capture_output=True, text=True)
assert done.returncode == 1 and "INVALID: hash value doesn't match" in done.stderr, (done.stdout, done.stderr)

step("shows a bucket that is gone, and goes on when it is back")
for item in s3.list_objects_v2(Bucket="moto-logs")["Contents"]:
    s3.delete_object(Bucket="moto-logs", Key=item["Key"])
s3.delete_bucket(Bucket="moto-logs")
trail.update_trail(Name="audit", IncludeGlobalServiceEvents=True)
with urllib.request.urlopen(urllib.request.Request(f"{CONTRAIL}/_contrail/flush", method="POST")) as answer:
    assert "NoSuchBucket" in json.load(answer)["failures"][0]
equal(trail.get_trail_status(Name="audit")["LatestDeliveryError"], "NoSuchBucket")
s3.create_bucket(Bucket="moto-logs")
flush()
# Looked for in the bucket: the pause behind a failure is a second, so that it may have been delivered before the flush.
keys = [item["Key"] for item in s3.list_objects_v2(Bucket="moto-logs")["Contents"]]
names = [record["eventName"] for key in keys if key.endswith(".json.gz") and "/CloudTrail/" in key for record in read(key)]
assert names.count("UpdateTrail") == 1, names
assert "LatestDeliveryError" not in trail.get_trail_status(Name="audit")
