"""Thousands of calls that contradict themselves, or are oddly written, in front of moto, by callers with a policy: nothing
that moto holds afterwards is anything that the policy does not allow.

    judged_trial.py [CALLS]

Signatures are not checked here, so that each call gets as far as the policy. That the calls would do harm is seen first, on
a moto that they reach without Contrail."""

import contextlib
import gzip
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request

import boto3
from botocore.config import Config

from trial import step

CALLS = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
MOTO = os.environ["AWS_ENDPOINT_URL"]
ACCOUNT = "111122223333"
BOX, OTHER = "ana-box", "other-box"


def statement(effect, actions, resource="*"):
    return {"Effect": effect, "Action": actions, "Resource": resource}


# One who may do little, and one who may do everything but for some services.
POLICIES = {
    "AKIALITTLE": [
        statement("Allow", ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], f"arn:aws:s3:::{BOX}/*"),
        statement("Allow", ["s3:ListBucket"], f"arn:aws:s3:::{BOX}"),
        statement("Allow", ["iam:ListUsers", "iam:GetUser", "sqs:ListQueues", "sns:ListTopics", "lambda:ListFunctions"]),
        statement("Allow", ["dynamodb:GetItem", "dynamodb:ListTables", "ec2:DescribeVpcs", "sts:GetCallerIdentity"]),
    ],
    "AKIAMUCH": [
        statement("Allow", "*"),
        statement("Deny", ["iam:*", "sqs:*", "sns:*", "dynamodb:*", "lambda:*", "ec2:*"]),
        statement("Deny", "s3:*", [f"arn:aws:s3:::{OTHER}", f"arn:aws:s3:::{OTHER}/*"]),
    ],
}
# Of each service: what may be called, and what would do harm, each with what goes with it.
NAMED = {
    "iam": ("2010-05-08", ["ListUsers", "GetUser"], [("CreateUser", "UserName=eve"), ("DeleteUser", "UserName=ana")]),
    "sqs": (
        "2012-11-05",
        ["ListQueues"],
        [("CreateQueue", "QueueName=eve"), ("DeleteQueue", f"QueueUrl=http%3A%2F%2Fx%2F{123456789012}%2Fq-1")],
    ),
    "sns": (
        "2010-03-31",
        ["ListTopics"],
        [("CreateTopic", "Name=eve"), ("DeleteTopic", "TopicArn=arn:aws:sns:us-east-1:123456789012:t-1")],
    ),
    "ec2": ("2016-11-15", ["DescribeVpcs"], [("CreateVpc", "CidrBlock=10.0.0.0/16")]),
    "sts": ("2011-06-15", ["GetCallerIdentity"], []),
    "dynamodb": ("2012-08-10", ["GetItem", "ListTables"], [("DeleteTable", "TableName=table-1")]),
}
TARGETS = {"dynamodb": "DynamoDB_20120810", "sqs": "AmazonSQS"}
JSON = {
    "DeleteTable": {"TableName": "table-1"},
    "CreateQueue": {"QueueName": "eve"},
    "DeleteQueue": {"QueueUrl": "http://x/123456789012/q-1"},
}


class Caller:
    """Makes up calls, the same ones for the same seed."""

    def __init__(self, key, seed):
        self.key, self.random = key, random.Random(seed)

    def one(self, *choices):
        return self.random.choice(choices)

    def seldom(self, one_in=6):
        return self.random.randrange(one_in) == 0

    def spelt(self, name):
        """A name as somebody may write it."""
        snake = "".join("_" + c.lower() if c.isupper() else c for c in name).strip("_")
        return self.one(name, name, name, snake, name[0].lower() + name[1:], name.replace("e", "%65", 1), f" {name}")

    def action(self, name, more=""):
        label = self.one("Action", "Action", "Action", "action", "ACTION", "%41ction", "Actio%6E", "Action%20")
        pair = f"{label}={self.spelt(name)}"
        return "&".join(filter(None, self.random.sample([pair, more], 2)))

    def authorization(self, service):
        spelt = self.one(service, service, service, service, service.upper(), f"{service}.x")
        scope = f"{self.key}/20261122/us-east-1/{spelt}/aws4_request"
        credential, headers, signature = f"Credential={scope}", "SignedHeaders=host", "Signature=0"
        order = [credential, headers, signature]
        if self.seldom():
            self.random.shuffle(order)
        form = self.random.randrange(12)
        if form == 0:
            query = {"X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Credential": scope, "X-Amz-Signature": "0"}
            return [], urllib.parse.urlencode(query)
        if form == 1:
            return [], f"AWSAccessKeyId={self.key}&Signature=0"
        if form == 2:
            return [("Authorization", f"AWS {self.key}:0")], ""
        return [("Authorization", "AWS4-HMAC-SHA256 " + self.one(", ", ",").join(order))], ""

    def path(self):
        inner = self.one(
            "/", "/", "/", f"/{BOX}/key", f"/{BOX}", f"/{OTHER}/secret", f"/{OTHER}", "/eve-box", "/eve-box/key",
            "/2015-03-31/functions/", "/2015-03-31/functions/f-1", "/123456789012/q-1", "/moto-api/reset",
            f"/{BOX}/../{OTHER}/secret", f"/{BOX}%2F..%2F{OTHER}%2Fsecret", f"/iam_us-east-1/{OTHER}",
            "/service/DynamoDB_20120810/operation/DeleteTable",
        )
        return self.one(
            inner, inner, inner, inner, "/" + inner, "/." + inner, "/x/.." + inner,
            inner.replace("o", "%6F", 1), inner.replace("o", "%256F", 1), inner.replace("/", "/%2F", 1),
            inner.replace("-", "%2D"),
        )

    def body(self, service, name, more):
        """A body that names an operation, and its type."""
        version = NAMED.get(service, ("",))[0]
        form = f"{self.action(name, more)}&Version={version}"
        kind = self.random.randrange(8)
        if kind == 0:
            parts = urllib.parse.parse_qsl(form)
            text = "".join(f'--x\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in parts)
            return text + "--x--\r\n", "multipart/form-data; boundary=x"
        if kind == 1:
            return json.dumps({"TableName": "table-1", "x": f"&{form}&"}), "application/x-amz-json-1.0"
        if kind == 2:
            return json.dumps(JSON.get(name, {})), self.one("application/x-amz-json-1.0", "text/plain", "")
        if kind == 3:
            return f"x=1;{form.replace('&', ';')}", "application/x-www-form-urlencoded"
        kinds = ["application/x-www-form-urlencoded", "Application/X-WWW-Form-URLEncoded; charset=UTF-8",
                 "application/x-www-form-urlencoded", "text/plain", "", "application/json"]
        return form, self.one(*kinds)

    def plain(self):
        """A call that everybody reads alike, allowed or not."""
        service = self.one("s3", "iam", "sqs", "sns", "ec2", "dynamodb", "lambda")
        headers = [("Authorization", f"AWS4-HMAC-SHA256 Credential={self.key}/20261122/us-east-1/{service}/aws4_request, "
                    "SignedHeaders=host, Signature=0")]
        if service == "s3":
            method, target = self.one("GET", "PUT", "DELETE"), self.one(f"/{BOX}/key", f"/{OTHER}/secret", "/eve-box")
            return self.written(method, target, "localhost:4700", headers, b"")
        if service == "lambda":
            return self.written(self.one("GET", "DELETE"), "/2015-03-31/functions/", "localhost:4700", headers, b"")
        version, allowed, harmful = NAMED[service]
        name, more = self.one(*[(name, "") for name in allowed], *harmful)
        if service == "dynamodb":
            headers += [("X-Amz-Target", f"{TARGETS[service]}.{name}"), ("Content-Type", "application/x-amz-json-1.0")]
            return self.written("POST", "/", "localhost:4700", headers, json.dumps(JSON.get(name, {})).encode())
        headers.append(("Content-Type", "application/x-www-form-urlencoded"))
        form = f"Action={name}&Version={version}&{more}".encode()
        return self.written("POST", "/", "localhost:4700", headers, form)

    def call(self):
        """The bytes of a request."""
        if self.seldom(4):
            return self.plain()
        service = self.one("s3", "s3", "s3", "lambda", "sns", "iam", "iam", "sqs", "dynamodb", "dynamodb", "ec2", "sts")
        other = self.one(service, service, *NAMED)
        version, allowed, harmful = NAMED.get(other, ("", ["GetObject", "ListFunctions"], []))
        names = [(name, "") for name in allowed] + harmful * 3
        pick = lambda: self.one(*names)
        headers, query = self.authorization(service)
        query = [query]
        for _ in range(self.one(0, 1, 1, 2)):
            query.append(self.action(*pick()))
        if self.seldom():
            query.append(self.one("acl", "policy", "delete", "uploads", "tagging", "versionId=null", "x-id=GetObject"))
        if version and not self.seldom():
            query.append(f"Version={version}")
        body, kind = self.body(other, *pick()) if self.one(True, True, False) else ("", "")
        body = body.encode()
        if kind:
            headers.append((self.one("Content-Type", "content-type"), kind))
        if other in TARGETS and not self.seldom(3):
            for _ in range(self.one(1, 1, 1, 2)):
                target = f"{self.one(TARGETS[other], 'x')}.{self.spelt(pick()[0]).strip()}"
                headers.append((self.one("X-Amz-Target", "X-Amz-Target", "X_Amz_Target"), target))
        if self.seldom(10):
            headers.append(("Action", self.spelt(pick()[0])))
            headers.append(("UserName", "eve"))
        if self.seldom(10):
            body, _ = gzip.compress(body), headers.append(("Content-Encoding", self.one("gzip", "GZIP")))
        if self.seldom(12):
            source = self.one(f"/{OTHER}/secret", f"{BOX}/key", f"/{BOX}/../{OTHER}/secret", f"//{BOX}/{OTHER}/secret")
            headers.append(("X-Amz-Copy-Source", source))
        if self.seldom(12):
            headers.append(("X-HTTP-Method-Override", "DELETE"))
        if self.seldom(16):
            headers += [("Origin", "http://x"), ("Access-Control-Request-Method", "PUT")]
        local = self.one("localhost:4700", "localhost:4700", "127.0.0.1:4700")
        host = self.one(
            local, local, local, local, f"{OTHER}.localhost", f"{OTHER}.foo", f"{BOX}.localhost", f"www.{OTHER}.localhost",
            "iam.amazonaws.com", "dynamodb.us-east-1.amazonaws.com", f"{OTHER}.s3.amazonaws.com", f"{OTHER}.x.localhost",
        )
        method = self.one("GET", "GET", "POST", "POST", "POST", "PUT", "DELETE", "DELETE", "OPTIONS", "HEAD", "PATCH")
        target = self.path() + ("?" + "&".join(filter(None, query)) if any(query) else "")
        return self.written(method, target.replace(" ", "%20"), host, headers, body)

    @staticmethod
    def written(method, target, host, headers, body):
        lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers] + ["Connection: close"]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def send(address, request):
    """The status of the answer; 0 without one, as moto has none for some of these calls."""
    with socket.create_connection(address, timeout=3) as connection:
        connection.sendall(request)
        answer = b""
        with contextlib.suppress(ConnectionError, TimeoutError):
            while b"\r\n" not in answer:
                more = connection.recv(4096)
                if not more:
                    break
                answer += more
            while connection.recv(65536):
                pass
    return int(answer.split(b" ")[1]) if answer.startswith(b"HTTP/") else 0


def address_of(url):
    parts = urllib.parse.urlsplit(url)
    return parts.hostname, parts.port


def client(service):
    config = Config(retries={"total_max_attempts": 1})
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return boto3.client(service, region_name="us-east-1", endpoint_url=MOTO, config=config, **keys)


def fill():
    """Puts into an empty moto what must stay as it is."""
    urllib.request.urlopen(urllib.request.Request(f"{MOTO}/moto-api/reset", method="POST")).read()
    client("iam").create_user(UserName="ana")
    client("sqs").create_queue(QueueName="q-1")
    client("sns").create_topic(Name="t-1")
    keys = {"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}], "BillingMode": "PAY_PER_REQUEST"}
    attributes = [{"AttributeName": "id", "AttributeType": "S"}]
    client("dynamodb").create_table(TableName="table-1", AttributeDefinitions=attributes, **keys)
    for bucket, key in ((BOX, "key"), (OTHER, "secret")):
        client("s3").create_bucket(Bucket=bucket)
        client("s3").put_object(Bucket=bucket, Key=key, Body=b"as it was")


def state(buckets):
    """What moto holds, but for what is in the box. `buckets`: those that count."""
    s3 = client("s3")
    held = {
        "users": [user["UserName"] for user in client("iam").list_users()["Users"]],
        "queues": client("sqs").list_queues().get("QueueUrls", []),
        "topics": client("sns").list_topics()["Topics"],
        "tables": client("dynamodb").list_tables()["TableNames"],
        "items": client("dynamodb").scan(TableName="table-1")["Items"] if client("dynamodb").list_tables()["TableNames"] else None,
        "vpcs": len(client("ec2").describe_vpcs()["Vpcs"]),
        "functions": client("lambda").list_functions()["Functions"],
    }
    for bucket in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]:
        if buckets is None or bucket in buckets:
            keys = [item["Key"] for item in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]
            bodies = {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}
            try:
                policy = s3.get_bucket_policy(Bucket=bucket)["Policy"]
            except s3.exceptions.ClientError:
                policy = None
            held[bucket] = (None if bucket == BOX else bodies, policy)
    return held


@contextlib.contextmanager
def in_front():
    """Contrail before moto, with both callers: its address."""
    with tempfile.TemporaryDirectory() as folder:
        config = ['[server]\nport = 0', f'data_dir = "{folder}/data"', f'[recorder]\nupstream = "{MOTO}"']
        config += ['[auth]\nmode = "known"\nproxy = true']
        for key, policy in POLICIES.items():
            with open(f"{folder}/{key}", "w") as out:
                json.dump({"Version": "2012-10-17", "Statement": policy}, out)
            config.append(f'[[identities]]\naccess_key = "{key}"\naccount = "{ACCOUNT}"\nuser = "{key.lower()}"')
            config.append(f'policy_file = "{folder}/{key}"')
        with open(f"{folder}/config.toml", "w") as out:
            out.write("\n".join(config))
        command = [os.environ["CONTRAIL_BIN"], "--config", f"{folder}/config.toml"]
        with open(f"{folder}/log", "w") as log:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            line = process.stdout.readline()
            while "listens on" not in line:
                assert line, open(f"{folder}/log").read()
                line = process.stdout.readline()
            yield address_of(line.split("listens on ")[1].split()[0])
            assert process.poll() is None, open(f"{folder}/log").read()
        finally:
            process.terminate()
            process.wait()


def differences(before, after):
    return {name: (before.get(name), after.get(name)) for name in before.keys() | after if before.get(name) != after.get(name)}


def send_all(address, key, calls):
    """Sends so many calls; how many were answered with which status."""
    caller, statuses = Caller(key, f"{key} 1"), {}
    for _ in range(calls):
        status = send(address, caller.call())
        statuses[status] = statuses.get(status, 0) + 1
    return dict(sorted(statuses.items()))


for key, counting in (("AKIALITTLE", None), ("AKIAMUCH", [OTHER])):
    fill()
    before = state(counting)
    send_all(address_of(MOTO), key, 400)
    done = differences(before, state(counting))
    assert len(done) >= 4, f"the calls of {key} are harmless: {done}"
    step(f"judged: {key}: without Contrail 400 calls change {', '.join(sorted(done))}")
    fill()
    before = state(counting)
    with in_front() as address:
        statuses = send_all(address, key, CALLS // len(POLICIES))
    wrong = differences(before, state(counting))
    assert not wrong, f"{key}: {wrong}"
    accepted = statuses.get(200, 0)
    assert accepted, f"{key}: nothing was accepted: {statuses}"
    step(f"judged: {key}: with Contrail {CALLS // len(POLICIES)} calls change nothing, {statuses}")
