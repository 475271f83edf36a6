#!/usr/bin/env python3
"""Makes contrail.sql: the database of a data folder in which something of every kind waits to be delivered.

    make.py CONTRAIL > contrail.sql

CONTRAIL is the binary whose folder it is to be; the one kept here has the schema of migration 8. Services that take or
refuse what is delivered are played by this script. The key pair in the dump was made for it alone.
"""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ACCOUNT = "000000000000"
refused = set()


class Services(BaseHTTPRequestHandler):
    """S3, SNS, CloudWatch Logs, EventBridge and a webhook: each takes everything, unless it is in `refused`."""

    protocol_version = "HTTP/1.1"

    def service(self):
        target = self.headers.get("X-Amz-Target", "")
        if "/sns/" in self.headers.get("Authorization", ""):
            return "sns"
        if target.startswith("Logs_"):
            return "logs"
        if target.startswith("AWSEvents."):
            return "events"
        if self.path.startswith("/webhook"):
            return "webhook"
        return "digests" if "/CloudTrail-Digest/" in self.path and ".json.gz" in self.path else "s3"

    def do_PUT(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        service = self.service()
        self.send_response(503 if service in refused else 200)
        body = {
            "sns": b"<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>",
            "logs": b"{}",
            "events": b'{"FailedEntryCount":0,"Entries":[]}',
        }.get(service, b"")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PUT

    def do_GET(self):
        acl = b"<AccessControlPolicy><Owner><ID>o</ID></Owner><AccessControlList/></AccessControlPolicy>"
        location = b"<LocationConstraint/>"
        body = location if "location" in self.path else acl
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def main():
    services = ThreadingHTTPServer(("127.0.0.1", 0), Services)
    threading.Thread(target=services.serve_forever, daemon=True).start()
    there = f"http://127.0.0.1:{services.server_port}"
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            "PATH": os.environ["PATH"],
            "CONTRAIL__DELIVERY__PERIOD": "1h",
            **{f"CONTRAIL__DELIVERY__{name}_ENDPOINT": there for name in ["S3", "SNS", "LOGS", "EVENTS"]},
            "CONTRAIL__DELIVERY__WEBHOOK": f"{there}/webhook",
        }
        command = [sys.argv[1], "--port", str(port), "--data-dir", folder, "--era", "2015"]
        server = subprocess.Popen(command, env=environment, stdout=sys.stderr)

        def post(path, body, headers):
            request = urllib.request.Request(url + path, body.encode(), headers)
            return json.load(urllib.request.urlopen(request))

        def call(operation, region="us-east-1", **members):
            target = f"com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.{operation}"
            scope = f"AKIAIOSFODNN7EXAMPLE/20261124/{region}/cloudtrail/aws4_request"
            return post("/", json.dumps(members), {
                "Content-Type": "application/x-amz-json-1.1",
                "X-Amz-Target": target,
                "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
            })

        def put_in(name, region="us-east-1"):
            record = {
                "eventVersion": "1.11",
                "userIdentity": {"type": "IAMUser", "accountId": ACCOUNT, "userName": "ana"},
                "eventTime": "2026-11-24T00:00:00Z",
                "eventSource": "ec2.amazonaws.com",
                "eventName": name,
                "awsRegion": region,
                "eventID": f"{name}-{region}",
                "readOnly": False,
                "eventType": "AwsApiCall",
                "managementEvent": True,
                "recipientAccountId": ACCOUNT,
                "eventCategory": "Management",
            }
            post("/_contrail/events", json.dumps(record), {"Content-Type": "application/json"})

        def flush():
            post("/_contrail/flush", "", {})

        for _ in range(100):
            try:
                urllib.request.urlopen(f"{url}/_contrail/health")
                break
            except OSError:
                time.sleep(0.1)

        call("CreateTrail", Name="demo", S3BucketName="my-bucket", S3KeyPrefix="some/prefix",
             EnableLogFileValidation=True, SnsTopicName="files",
             KmsKeyId=f"arn:aws:kms:us-east-1:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555",
             CloudWatchLogsLogGroupArn=f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:trail:*",
             CloudWatchLogsRoleArn=f"arn:aws:iam::{ACCOUNT}:role/logs",
             TagsList=[{"Key": "team", "Value": "blue"}, {"Key": "empty"}])
        call("CreateTrail", Name="gone", S3BucketName="old-bucket", EnableLogFileValidation=True)
        call("CreateTrail", Name="everywhere", region="eu-west-1", S3BucketName="all-regions", IsMultiRegionTrail=True)
        call("CreateTrail", Name="stopped", S3BucketName="my-bucket", S3KeyPrefix="stopped")
        for name in ["demo", "gone", "stopped"]:
            call("StartLogging", Name=name)
        call("StartLogging", Name="everywhere", region="eu-west-1")
        put_in("Delivered")
        flush()
        # Stored, and neither announced nor digested.
        refused.update(["sns", "webhook", "logs", "events", "digests"])
        put_in("Stored")
        put_in("Stored", "eu-west-1")
        flush()
        # Cut into files that nobody takes.
        refused.add("s3")
        put_in("Cut")
        call("StopLogging", Name="stopped")
        flush()
        put_in("Captured")
        call("DeleteTrail", Name="gone")
        put_in("Captured", "eu-west-1")
        time.sleep(1.5)
        server.send_signal(signal.SIGKILL)
        server.wait()
        database = sqlite3.connect(os.path.join(folder, "contrail.db"))
        print("PRAGMA application_id = %d;" % database.execute("PRAGMA application_id").fetchone())
        for statement in database.iterdump():
            print(statement)


main()
