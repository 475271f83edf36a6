"""Signatures that are checked, over HTTP and over TLS, in front of moto too: real clients get in with good keys and are
refused with wrong ones, and thousands of requests that botocore has signed are accepted as they are and refused with one
byte altered."""

import contextlib
import http.client
import io
import json
import os
import random
import ssl
import string
import subprocess
import sys
import tempfile
import urllib.parse

import boto3
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from trial import equal, step

ACCOUNT = "111122223333"
# An access key, its secret, and a session token.
ANA = ("AKIAANA", "ana+secret/0123", None)
CI = ("ASIACI", "ci-secret", "ci//token+0123==")
WRONG = [
    (("AKIAANA", "wrong", None), "InvalidSignatureException", "SignatureDoesNotMatch"),
    (("AKIABOB", "ana+secret/0123", None), "UnrecognizedClientException", "InvalidAccessKeyId"),
    (("ASIACI", "ci-secret", "other"), "UnrecognizedClientException", "InvalidToken"),
]
# How many requests botocore signs, of each kind.
REQUESTS = int(sys.argv[1]) if len(sys.argv) > 1 else 1000


@contextlib.contextmanager
def server(tls, upstream=None):
    """A server that checks signatures, in front of an emulator if there is one: its URL, and its certificate."""
    with tempfile.TemporaryDirectory() as folder:

        def file(name, text):
            path = os.path.join(folder, name)
            with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as out:
                out.write(text)
            return json.dumps(path)

        ana = "".join(f"{name} = {value}\n" for name, value in zip(["aws_access_key_id", "aws_secret_access_key"], ANA))
        config = f"""
[server]
port = 0
data_dir = {json.dumps(os.path.join(folder, "data"))}
[limits]
lookup_events_per_second = 0
[tls]
enabled = {json.dumps(tls)}
{f'[recorder]{chr(10)}upstream = {json.dumps(upstream)}' if upstream else ""}
[auth]
mode = "signed"
proxy = {json.dumps(bool(upstream))}
credentials_file = {file("credentials", "[ana]" + chr(10) + ana)}
[[identities]]
access_key = "{ANA[0]}"
account = "{ACCOUNT}"
user = "ana"
[[identities]]
access_key = "{CI[0]}"
account = "{ACCOUNT}"
role = "deployer"
session = "ci"
secret_file = {file("ci", CI[1])}
session_token_file = {file("token", CI[2])}
"""
        command = [os.environ["CONTRAIL_BIN"], "--config", json.loads(file("config.toml", config))]
        with open(os.path.join(folder, "log"), "w") as log:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            url = process.stdout.readline().split(" listens on ")[1].strip()
            yield url, os.path.join(folder, "data", "tls.crt")
        finally:
            process.terminate()
            process.communicate()


def environment(url, certificate, key):
    """What a client in a process of its own is told."""
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    given = {name: value for name, value in zip(names, key) if value}
    trust = {"AWS_CA_BUNDLE": certificate, "NODE_EXTRA_CA_CERTS": certificate} if url.startswith("https") else {}
    others = {name: value for name, value in os.environ.items() if name not in names}
    return {**others, **given, **trust, "AWS_ENDPOINT_URL": url, "AWS_ENDPOINT_URL_CLOUDTRAIL": url}


def error_of(call):
    try:
        call()
    except ClientError as e:
        return e.response["Error"]["Code"]
    return None


def client_at(url, certificate, service, key, **config):
    names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
    verify = certificate if url.startswith("https") else None
    config = Config(retries={"total_max_attempts": 1}, **config)
    return boto3.client(
        service, endpoint_url=url, region_name="us-east-1", verify=verify, config=config, **dict(zip(names, key))
    )


def in_front(url, certificate):
    """Calls of services in every protocol, which are forwarded: with good keys they are answered, with wrong ones not."""
    step("in front of moto")
    bucket = "bucket-of-" + url.split(":")[0]
    object_of = {"Bucket": bucket, "Key": "a b/ü+~*"}
    calls = [
        ("s3", "create_bucket", {"Bucket": bucket}),
        ("s3", "put_object", {**object_of, "Body": os.urandom(3_000_000)}),
        ("s3", "put_object", {**object_of, "Body": io.BytesIO(os.urandom(300_000))}),
        ("s3", "get_object", object_of),
        ("sqs", "create_queue", {"QueueName": bucket}),
        ("sns", "create_topic", {"Name": bucket, "Attributes": {"DisplayName": "a b/ü+~*"}}),
        ("ec2", "describe_vpcs", {"Filters": [{"Name": "tag:a b", "Values": ["ü"]}]}),
        ("iam", "list_users", {}),
        ("events", "list_rules", {}),
        ("logs", "describe_log_groups", {}),
        ("cloudtrail", "describe_trails", {}),
    ]
    for service, operation, arguments in calls:
        addressing = {"addressing_style": "path"}
        for key, is_good in [(ANA, True), *((key, False) for key, _, _ in WRONG)]:
            if hasattr(arguments.get("Body"), "seek"):
                arguments["Body"].seek(0)
            call = getattr(client_at(url, certificate, service, key, s3=addressing), operation)
            error = error_of(lambda: call(**arguments))
            assert (error is None) == is_good, f"{service} {operation} {key}: {error}"


def clients(url, certificate):
    def client(service, key, **config):
        return client_at(url, certificate, service, key, **config)

    step("boto3")
    for key in (ANA, CI):
        name = "trail-of-" + key[0].lower()
        client("cloudtrail", key).create_trail(Name=name, S3BucketName="logs")
        client("sts", key).get_caller_identity()
        s3 = client("s3", key, s3={"addressing_style": "path"})
        body = os.urandom(300_000)
        s3.put_object(Bucket="logs", Key="a b/ü+~*", Body=body)
        assert s3.get_object(Bucket="logs", Key="a b/ü+~*")["Body"].read() == body
        # Over TLS what is read from a file goes in chunks, with a checksum behind them.
        s3.put_object(Bucket="logs", Key="stream", Body=io.BytesIO(body))
        assert s3.get_object(Bucket="logs", Key="stream")["Body"].read() == body
        for algorithm in ("CRC32", "SHA256"):
            s3.put_object(Bucket="logs", Key=algorithm, Body=body, ChecksumAlgorithm=algorithm)
        upload = s3.create_multipart_upload(Bucket="logs", Key="parts")["UploadId"]
        part = s3.upload_part(Bucket="logs", Key="parts", PartNumber=1, UploadId=upload, Body=body)
        parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
        s3.complete_multipart_upload(Bucket="logs", Key="parts", UploadId=upload, MultipartUpload=parts)
        name = {"Bucket": "logs", "Key": "a b/ü+~*"}
        presigned = client("s3", key, signature_version="s3v4").generate_presigned_url("get_object", Params=name)
        assert fetch(presigned, certificate) == (200, body), presigned
        equal(fetch(presigned.replace("X-Amz-Expires=3600", "X-Amz-Expires=3601"), certificate)[0], 403)
        # Unless it is told, boto3 signs URLs of S3 with version 2.
        status, answer = fetch(s3.generate_presigned_url("get_object", Params=name), certificate)
        assert status == 400 and b"Please use AWS4-HMAC-SHA256" in answer, answer
    for key, expected, in_s3 in WRONG:
        equal(error_of(client("cloudtrail", key).describe_trails), expected)
        equal(error_of(client("s3", key).list_buckets), in_s3)
    names = [event["EventName"] for event in client("cloudtrail", ANA).lookup_events()["Events"]]
    assert names.count("CreateTrail") <= 2, names

    step("the AWS CLI")
    for key, expected in [(ANA, ""), (CI, ""), *((key, code) for key, code, _ in WRONG)]:
        command = ["aws", "cloudtrail", "describe-trails", "--query", "length(trailList)", "--output", "text"]
        done = subprocess.run(command, env=environment(url, certificate, key), capture_output=True, text=True)
        if expected:
            assert done.returncode and f"({expected})" in done.stderr, done
        else:
            equal((done.returncode, done.stdout.strip()), (0, "2"))
    for command in [["s3", "cp", __file__, "s3://logs/cli"], ["s3", "rm", "s3://logs/cli"]]:
        done = subprocess.run(["aws", *command], env=environment(url, certificate, ANA), capture_output=True, text=True)
        equal((done.returncode, done.stderr), (0, ""))

    step("the SDK for JavaScript")
    for key, expected in [(ANA, "2"), (CI, "2"), *((key, code) for key, code, _ in WRONG)]:
        done = subprocess.run(
            ["node", os.environ["AUTH_CLIENT_JS"]], env=environment(url, certificate, key), capture_output=True, text=True
        )
        equal((done.stdout.strip(), done.returncode), (expected, 0))


def connection(url, certificate):
    parts = urllib.parse.urlsplit(url)
    if parts.scheme == "https":
        context = ssl.create_default_context(cafile=certificate)
        return http.client.HTTPSConnection(parts.hostname, parts.port, context=context)
    return http.client.HTTPConnection(parts.hostname, parts.port)


def fetch(url, certificate):
    parts = urllib.parse.urlsplit(url)
    answering = connection(url, certificate)
    answering.request("GET", f"{parts.path}?{parts.query}")
    answer = answering.getresponse()
    return answer.status, answer.read()


def boto2(url):
    """boto 2.49 signs CloudTrail's calls with version 4 in any case, and S3's with version 2 unless it is told: those are
    refused."""
    step("boto 2")
    from boto2 import cloudtrail

    from boto.exception import S3ResponseError
    from boto.s3.connection import OrdinaryCallingFormat, S3Connection

    parts = urllib.parse.urlsplit(url)
    equal(len(cloudtrail(parts, ANA[0], ANA[1]).describe_trails()["trailList"]), 2)
    try:
        cloudtrail(parts, ANA[0], "wrong").describe_trails()
        raise AssertionError("not refused")
    except Exception as e:
        assert "InvalidSignatureException" in str(e), e
    old = S3Connection(
        ANA[0], ANA[1], is_secure=False, host=parts.hostname, port=parts.port, calling_format=OrdinaryCallingFormat()
    )
    try:
        old.get_all_buckets()
        raise AssertionError("not refused")
    except S3ResponseError as e:
        equal((e.status, e.error_code), (400, "InvalidRequest"))


BUCKET = "logs"
LETTERS = string.ascii_letters + string.digits
ODD = LETTERS + " -._~!$&'()*+,;=:@/%?#[]äß漢"


def text(chance, letters, most):
    return "".join(chance.choices(letters, k=chance.randrange(1, most)))


def signed(chance, service, url, key):
    """A request of some path, query, headers and body that botocore has signed: method, target, headers, body."""
    credentials = Credentials(*key)
    is_s3 = service == "s3"
    method = chance.choice(["GET", "PUT", "PUT", "DELETE", "HEAD", "POST"]) if is_s3 else "POST"
    path = "/"
    if is_s3:
        path = f"/{BUCKET}/" + urllib.parse.quote(text(chance, ODD, 30), safe="/~")
    query = urllib.parse.urlencode(
        [(text(chance, LETTERS, 8), text(chance, ODD, 12)) for _ in range(chance.randrange(4))],
        quote_via=urllib.parse.quote,
    )
    headers = {f"x-amz-meta-{text(chance, string.ascii_lowercase, 8)}": text(chance, LETTERS + "  ,;=/+", 30).strip() or "a"}
    if chance.random() < 0.5:
        headers["x-custom"] = text(chance, LETTERS + " ", 20).strip() or "b"
    body = bytes(chance.randrange(256) for _ in range(chance.randrange(200)))
    if not is_s3:
        headers |= {"x-amz-target": "CloudTrail_20131101.DescribeTrails", "content-type": "application/x-amz-json-1.1"}
        body = json.dumps({"includeShadowTrails": chance.random() < 0.5, "trailNameList": []}, indent=chance.randrange(9)).encode()
    elif method != "PUT":
        body = b""
    is_presigned = chance.random() < 0.3
    # A presigned URL of S3 says nothing of the body.
    signed_body = b"" if is_presigned and is_s3 else body
    request = AWSRequest(method, url + path + ("?" + query if query else ""), headers, signed_body)
    if is_presigned:
        signer = (S3SigV4QueryAuth if is_s3 else SigV4QueryAuth)(credentials, service, "us-east-1", expires=300)
    else:
        signer = (S3SigV4Auth if is_s3 else SigV4Auth)(credentials, service, "us-east-1")
    signer.add_auth(request)
    prepared = request.prepare()
    target = prepared.url[len(url) :]
    headers = {name: value.decode() if isinstance(value, bytes) else value for name, value in prepared.headers.items()}
    headers.setdefault("Host", urllib.parse.urlsplit(url).netloc)
    headers.pop("Content-Length", None)
    if is_presigned and not is_s3:
        # It moves what is in the body into the query.
        body = b""
    return method, target, headers, body, is_presigned


def other(chance, character, letters):
    return chance.choice([letter for letter in letters if letter.lower() != character.lower()])


def altered(chance, request):
    """The same with one byte altered, anywhere in what is signed."""
    method, target, headers, body, is_presigned = request
    headers = dict(headers)
    places = ["target"] if "?" in target or len(target) > 1 else []
    if body and not (is_presigned and "x-amz-target" not in headers):
        places.append("body")
    if not is_presigned:
        places += ["authorization", "header"]
    place = chance.choice(places)
    if place == "body":
        at = chance.randrange(len(body))
        body = body[:at] + bytes([body[at] ^ (1 << chance.randrange(8))]) + body[at + 1 :]
    elif place == "target":
        # Not what stands for another byte, nor between names: these may leave the meaning as it was.
        spots = [at for at, c in enumerate(target) if c in LETTERS and "%" not in target[max(0, at - 2) : at]]
        if not spots:
            return None
        at = chance.choice(spots)
        target = target[:at] + other(chance, target[at], LETTERS) + target[at + 1 :]
    else:
        value = headers["Authorization"] if place == "authorization" else None
        name = "Authorization"
        if value is None:
            listed = headers["Authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
            by_name = {known.lower(): known for known in headers}
            name = by_name[chance.choice([known for known in listed if known not in ("x-amz-target", "content-type")])]
            value = headers[name]
        spots = [at for at, c in enumerate(value) if c in LETTERS]
        if not spots:
            return None
        at = chance.choice(spots)
        headers[name] = value[:at] + other(chance, value[at], LETTERS) + value[at + 1 :]
    return method, target, headers, body, is_presigned


def send(answering, request):
    method, target, headers, body, _ = request
    answering.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
    for name, value in headers.items():
        answering.putheader(name, value)
    answering.putheader("Content-Length", str(len(body)))
    answering.endheaders(body)
    answer = answering.getresponse()
    return answer.status, answer.read()


# What a request is answered that is signed rightly, by CloudTrail and by the bucket store.
ACCEPTED = {"cloudtrail": {200}, "s3": {200, 204, 404, 405, 501}}


def thousands(url, certificate):
    chance = random.Random(20261122)
    for service in ("cloudtrail", "s3"):
        accepted = refused = 0
        answering = connection(url, certificate)
        for number in range(REQUESTS):
            request = signed(chance, service, url, chance.choice([ANA, CI]))
            status, answer = send(answering, request)
            # Odd queries and paths mean something else to S3, or nothing; but they are let in.
            is_in = status in ACCEPTED[service] or (service == "s3" and status == 400 and is_about_the_request(answer))
            assert is_in, f"{number} {request}: {status} {answer}"
            accepted += 1
            other_request = altered(chance, request)
            if other_request is None:
                continue
            status, answer = send(answering, other_request)
            is_out = status in (400, 403) and not (service == "s3" and status == 400 and is_about_the_request(answer))
            assert is_out, f"{number} {request} altered to {other_request}: {status} {answer}"
            refused += 1
        step(f"{service}: {accepted} requests that botocore has signed accepted, {refused} with one byte altered refused")


# What errors say that are about signatures; all others of S3's are about what is asked.
ABOUT_THE_SIGNATURE = (
    "AuthorizationHeaderMalformed", "InvalidToken", "XAmzContentSHA256Mismatch", "ExpiredToken", "SignatureDoesNotMatch",
    "AccessDenied", "InvalidAccessKeyId", "RequestTimeTooSkewed", "authorization mechanism", "auth mechanism",
)


def is_about_the_request(answer):
    return b"<Code>" in answer and not any(code.encode() in answer for code in ABOUT_THE_SIGNATURE)


for tls in (False, True):
    with server(tls) as (url, certificate):
        url = url.replace("127.0.0.1", "localhost")
        step(url.split(":")[0])
        clients(url, certificate)
        if not tls:
            boto2(url)
            thousands(url, certificate)
    with server(tls, os.environ["AWS_ENDPOINT_URL"]) as (url, certificate):
        in_front(url.replace("127.0.0.1", "localhost"), certificate)
