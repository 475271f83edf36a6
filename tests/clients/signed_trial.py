"""moto that checks signatures, behind Contrail: what its callers have signed is still signed, and what is signed wrongly is
still refused."""

import contextlib
import os
import socket
import subprocess
import time
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from identify_trial import contrail_in_front
from trial import equal, step

# Calls that moto takes without looking: those that make the user whose signatures it is to check.
UNCHECKED = 3


@contextlib.contextmanager
def moto_that_checks():
    """Its URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": str(UNCHECKED)}
    with open("moto.log", "w") as log:
        server = subprocess.Popen(["moto_server", "-p", str(port)], stdout=log, stderr=log, env=settings)
        try:
            url = f"http://127.0.0.1:{port}"
            for _ in range(300):
                with contextlib.suppress(OSError):
                    urllib.request.urlopen(f"{url}/moto-api/").read()
                    break
                time.sleep(0.1)
            yield url
        finally:
            server.terminate()
            server.wait()


def clients(url, key, secret):
    """A client of every protocol: query, EC2's, JSON, CBOR or JSON, REST with JSON, REST with XML."""
    session = boto3.Session(aws_access_key_id=key, aws_secret_access_key=secret, region_name="us-east-1")
    config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
    names = ("iam", "sns", "ec2", "dynamodb", "kms", "cloudwatch", "batch", "s3", "route53")
    return {name: session.client(name, endpoint_url=url, config=config) for name in names}


def calls(of):
    """One call after the other. Of REST no GET but S3's: moto takes none of those, signed as they may be."""
    yield "iam", lambda: of["iam"].list_users()
    yield "sns", lambda: of["sns"].create_topic(Name="a", Attributes={"DisplayName": "a b/ü+~*"})
    yield "ec2", lambda: of["ec2"].describe_vpcs(Filters=[{"Name": "tag:a b", "Values": ["ü"]}])
    yield "dynamodb", lambda: of["dynamodb"].list_tables()
    yield "kms", lambda: of["kms"].create_key(Description="ü")
    yield "cloudwatch", lambda: of["cloudwatch"].list_metrics()
    yield "batch", lambda: of["batch"].describe_job_queues()
    yield "s3 bucket", lambda: of["s3"].create_bucket(Bucket="signed")
    yield "s3 put", lambda: of["s3"].put_object(Bucket="signed", Key="a b/ü+~*'()", Body=b"hello" * 100_000)
    yield "s3 get", lambda: of["s3"].get_object(Bucket="signed", Key="a b/ü+~*'()", Range="bytes=1-3")
    yield "s3 list", lambda: of["s3"].list_objects_v2(Bucket="signed", Prefix="a b/", Delimiter="/")
    yield "s3 metadata", lambda: of["s3"].put_object(Bucket="signed", Key="m", Metadata={"A": "  two   words "})
    yield "s3 tags", lambda: of["s3"].get_bucket_tagging(Bucket="signed")
    yield "route53", lambda: of["route53"].create_hosted_zone(Name="a.test", CallerReference="1")


def verdict(call):
    """The HTTP status. moto has many names for a wrong signature, and 401 and 403 for nothing else here."""
    try:
        return call()["ResponseMetadata"]["HTTPStatusCode"]
    except ClientError as e:
        return e.response["ResponseMetadata"]["HTTPStatusCode"]


with moto_that_checks() as moto, contrail_in_front(moto) as address:
    step("makes a user")
    iam = clients(f"http://{address}", "123456789012", "none")["iam"]
    iam.create_user(UserName="ana")
    every = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
    iam.put_user_policy(UserName="ana", PolicyName="all", PolicyDocument=every)
    key = iam.create_access_key(UserName="ana")["AccessKey"]

    right = clients(f"http://{address}", key["AccessKeyId"], key["SecretAccessKey"])
    wrong = clients(f"http://{address}", key["AccessKeyId"], "another secret")
    direct = clients(moto, key["AccessKeyId"], key["SecretAccessKey"])
    for (name, call), (_, forged), (_, straight) in zip(calls(right), calls(wrong), calls(direct)):
        step(f"calls {name}")
        # That the forged one is refused shows that moto looks.
        assert verdict(forged) in (401, 403), f"{name}: {verdict(forged)}"
        found = verdict(call)
        assert found not in (401, 403), f"{name}: {found}"
        equal(found, verdict(straight))
