"""Thousands of calls that contradict themselves, or are oddly written, in front of moto, by callers with a policy: nothing
that moto holds afterwards is anything that the policy does not allow.

Signatures are not checked here, so that each call gets as far as the policy. That the calls would do harm is seen first, on
a moto that they reach without Contrail."""

import contextlib
import gzip
import json
import os
import random
import socket
import subprocess
import tempfile
import urllib.parse
import urllib.request

import boto3
from botocore.config import Config

from trial import step

# 10,000 take half a minute.
CALLS = int(os.environ.get("JUDGED_CALLS", "2000"))
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
        [("CreateQueue", "QueueName=eve"), ("DeleteQueue", "QueueUrl=http%3A%2F%2Fx%2F123456789012%2Fq-1")],
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


class Call:
    """A call that everybody reads alike, until something is changed about it."""

    def __init__(self, key, pick):
        self.pick = pick
        self.service = pick("s3", "s3", "iam", "iam", "sqs", "sns", "ec2", "dynamodb", "dynamodb", "lambda", "sts")
        self.method, self.path, self.query, self.host = "POST", "/", [], pick("localhost:4700", "127.0.0.1:4700")
        self.scope = f"{key}/20261122/us-east-1/{self.service}/aws4_request"
        self.signature = [f"Credential={self.scope}", "SignedHeaders=host", "Signature=0"]
        self.key, self.headers, self.kind, self.body = key, [], "", b""
        version, allowed, _ = NAMED.get(self.service, ("", [], []))
        if self.service == "s3":
            self.method = pick("GET", "PUT", "DELETE")
            self.path = pick(f"/{BOX}/key", f"/{BOX}/key", f"/{BOX}/other%20key", f"/{OTHER}/secret", "/eve-box")
        elif self.service == "lambda":
            self.method, self.path = "GET", "/2015-03-31/functions/"
        elif self.service == "dynamodb" or (self.service == "sqs" and pick(True, False)):
            self.headers.append(("X-Amz-Target", f"{TARGETS[self.service]}.{pick(*allowed)}"))
            self.kind, self.body = "application/x-amz-json-1.0", b"{}"
        else:
            self.kind = "application/x-www-form-urlencoded"
            self.body = f"Action={pick(*allowed)}&Version={version}".encode()

    def bytes(self):
        headers = list(self.headers)
        if self.signature is not None:
            headers.append(("Authorization", "AWS4-HMAC-SHA256 " + ", ".join(self.signature)))
        if self.kind:
            headers.append(("Content-Type", self.kind))
        target = (self.path + ("?" + "&".join(self.query) if self.query else "")).replace(" ", "%20")
        lines = [f"{self.method} {target} HTTP/1.1", f"Host: {self.host}", f"Content-Length: {len(self.body)}"]
        lines += [f"{name}: {value}" for name, value in headers] + ["Connection: close"]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + self.body

    # What may be changed: each of these is one way to be read differently.

    def harmful(self):
        """Something that would do harm: its name, and what goes with it."""
        own = NAMED.get(self.service, ("", [], []))[2]
        others = [named for version, allowed, harm in NAMED.values() for named in harm]
        return self.pick(*(own * 4 or others), *others)

    def spelt(self, name):
        snake = "".join("_" + c.lower() if c.isupper() else c for c in name).strip("_")
        return self.pick(name, name, name, snake, name[0].lower() + name[1:], name.replace("e", "%65", 1))

    def pair(self):
        name, more = self.harmful()
        label = self.pick("Action", "Action", "Action", "action", "%41ction", "Actio%6E")
        return f"{label}={self.spelt(name)}&{more}"

    def action_in_query(self):
        self.query.append(self.pair())

    def action_in_body(self):
        separator = self.pick(b"&", b"&", b";")
        pair = self.pair().encode()
        self.body = separator.join(self.pick([self.body, pair], [pair, self.body]))

    def action_instead(self):
        self.query += [self.body.decode("utf-8", "replace")] if b"Action" in self.body else []
        self.body, self.kind = self.pair().encode(), self.pick("application/x-www-form-urlencoded", self.kind)

    def action_in_parts(self):
        parts = [part.split("=") for part in self.pair().split("&")]
        form = "".join(f'--x\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in parts)
        self.query += [self.body.decode("utf-8", "replace")] if b"Action" in self.body else []
        self.body, self.kind = f"{form}--x--\r\n".encode(), "multipart/form-data; boundary=x"

    def action_in_json(self):
        self.body, self.kind = json.dumps({"TableName": "table-1", "x": f"&{self.pair()}&"}).encode(), self.kind or "text/plain"

    def action_in_header(self):
        name, more = self.harmful()
        self.headers += [("Action", name), tuple(more.split("=")[:2])]
        self.body = self.pick(b"", self.body)

    def another_target(self):
        name, _ = self.harmful()
        header = self.pick("X-Amz-Target", "X-Amz-Target", "X_Amz_Target")
        self.headers.append((header, f"{self.pick(TARGETS.get(self.service, 'x'), *TARGETS.values())}.{name}"))
        self.body = self.pick(self.body, json.dumps(JSON.get(name, {})).encode())

    def another_target_first(self):
        self.another_target()
        self.headers.reverse()

    def another_type(self):
        kinds = ["text/plain", "", "application/json", "Application/X-WWW-Form-URLEncoded", "application/x-amz-json-1.0"]
        self.kind = self.pick(*kinds)

    def packed(self):
        self.body = gzip.compress(self.body)
        self.headers.append(("Content-Encoding", self.pick("gzip", "GZIP")))

    def another_method(self):
        self.method = self.pick("GET", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH", "POST")

    def method_in_header(self):
        self.headers.append(("X-HTTP-Method-Override", self.pick("DELETE", "PUT")))

    def asked_by_a_browser(self):
        self.method = "OPTIONS"
        self.headers += [("Origin", "http://x"), ("Access-Control-Request-Method", "PUT")]

    def another_path(self):
        self.path = self.pick(
            f"/{OTHER}/secret", f"/{OTHER}", "/eve-box", "/eve-box/key", "/2015-03-31/functions/f-1",
            "/123456789012/q-1", "/moto-api/reset", "/moto-api/seed?a=1", f"/{BOX}%2F..%2F{OTHER}%2Fsecret",
            f"/{BOX}/../{OTHER}/secret", f"/iam_us-east-1/{OTHER}", f"/{BOX}/%2e%2e/{OTHER}/secret",
        )

    def another_path_oddly(self):
        self.another_path()
        self.odd_path()

    def odd_path(self):
        path = self.path
        self.path = self.pick("/" + path, "/." + path, "/x/.." + path, path.replace("o", "%6F", 1),
                              path.replace("o", "%256F", 1), "/%2F" + path[1:], path.replace("-", "%2D"))

    def another_host(self):
        self.host = self.pick(
            f"{OTHER}.localhost", f"{OTHER}.foo", f"{OTHER}.s3.amazonaws.com", f"{OTHER}.x.localhost", "eve-box.foo:80",
            f"www.{OTHER}.localhost", "iam.amazonaws.com", "dynamodb.us-east-1.amazonaws.com",
        )
        self.path = self.pick(self.path, "/secret", f"/{BOX}/key")

    def copy(self):
        self.method, self.path = "PUT", f"/{BOX}/key"
        sources = [f"/{OTHER}/secret", f"/{BOX}/../{OTHER}/secret", f"//{BOX}/{OTHER}/secret", f"{OTHER}%2Fsecret"]
        self.headers.append(("X-Amz-Copy-Source", self.pick(*sources)))

    def sub_resource(self):
        self.query.append(self.pick("acl", "policy", "delete", "uploads", "tagging", "versionId=null", "x-id=GetObject", "cors"))

    def signed_in_query(self):
        query = {"X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Credential": self.scope, "X-Amz-Signature": "0"}
        old = f"AWSAccessKeyId={self.key}&Signature=0"
        self.signature, more = None, self.pick(urllib.parse.urlencode(query), urllib.parse.urlencode(query), old)
        self.query.append(more)
        self.method = self.pick(self.method, "DELETE", "PUT")
        self.path = self.pick(self.path, f"/{OTHER}/secret", "/eve-box", f"/lambda_us-east-1/functions")

    def signed_oddly(self):
        if self.signature:
            self.signature = self.pick(self.signature[::-1], self.signature[1:] + self.signature[:1])
            self.method = self.pick(self.method, "DELETE", "PUT")
            self.path = self.pick(self.path, f"/{OTHER}/secret", "/eve-box")

    def signed_for_another(self):
        spelt = self.pick(self.service.upper(), f"{self.service}.x", *NAMED)
        self.scope = self.scope.replace(f"/{self.service}/", f"/{spelt}/")
        if self.signature:
            self.signature[0] = f"Credential={self.scope}"


# Those come first that say what is done.
CHANGES = [
    Call.action_in_query, Call.action_in_body, Call.action_instead, Call.action_in_parts, Call.action_in_json,
    Call.action_in_header, Call.another_target, Call.another_target_first, Call.another_path, Call.another_path_oddly,
    Call.another_method, Call.asked_by_a_browser, Call.another_host, Call.copy, Call.sub_resource, Call.signed_in_query,
    Call.signed_oddly, Call.signed_for_another, Call.odd_path, Call.another_type, Call.packed, Call.method_in_header,
]


def calls_of(key, number):
    """So many calls, the same ones each time."""
    chance = random.Random(key)
    for _ in range(number):
        call = Call(key, lambda *choices: chance.choice(choices))
        changes = chance.sample(range(len(CHANGES)), chance.choice([0, 1, 1, 1, 2, 2, 3]))
        for change in sorted(changes):
            CHANGES[change](call)
        yield call.bytes()


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
    statuses = {}
    for call in calls_of(key, calls):
        status = send(address, call)
        statuses[status] = statuses.get(status, 0) + 1
    return dict(sorted(statuses.items()))


for key, counting in (("AKIALITTLE", None), ("AKIAMUCH", [OTHER])):
    fill()
    before = state(counting)
    send_all(address_of(MOTO), key, 400)
    done = differences(before, state(counting))
    assert len(done) >= 4, f"the calls of {key} are harmless: {done}"
    step(f"{key}: without Contrail 400 calls change {', '.join(sorted(done))}")
    fill()
    before = state(counting)
    with in_front() as address:
        statuses = send_all(address, key, CALLS // len(POLICIES))
    wrong = differences(before, state(counting))
    assert not wrong, f"{key}: {wrong}"
    accepted = statuses.get(200, 0)
    assert accepted, f"{key}: nothing was accepted: {statuses}"
    step(f"{key}: with Contrail {CALLS // len(POLICIES)} calls change nothing, {statuses}")
