"""What the trials in Python share."""

import json
import os
import subprocess
import time
import urllib.error
import urllib.request

from botocore.exceptions import ClientError
from botocore.session import get_session

ENDPOINT = os.environ["AWS_ENDPOINT_URL_CLOUDTRAIL"]
MODEL = get_session().get_service_model("cloudtrail")


def step(text):
    print(text, flush=True)


def equal(found, expected):
    assert found == expected, f"{found!r} is not {expected!r}"


def refused(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as e:
        return equal(e.response["Error"]["Code"], code)
    raise AssertionError(f"not refused with {code}")


def run(command):
    """Runs a program. What it prints is of interest only when it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}"


def ask(operation, asked, region="us-east-1"):
    """A call as Go, Rust and JavaScript send it: the HTTP status and the answer's JSON."""
    scope = f"{os.environ['AWS_ACCESS_KEY_ID']}/20261122/{region}/cloudtrail/aws4_request"
    headers = {
        "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": f"CloudTrail_20131101.{operation}",
    }
    call = urllib.request.Request(ENDPOINT, json.dumps(asked).encode(), headers)
    while True:
        try:
            with urllib.request.urlopen(call) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as e:
            answer = json.load(e)
            if answer["__type"] != "ThrottlingException":
                return e.code, answer
        time.sleep(1)


def checked(operation, asked, region="us-east-1"):
    """A call that must succeed, with an answer that holds only members that botocore knows, of the right type: a client
    in Go takes nothing else."""
    status, answer = ask(operation, asked, region)
    assert status == 200, f"{operation} {asked}: {answer}"
    check(answer, MODEL.operation_model(operation).output_shape, operation)
    return answer


def check(found, shape, path):
    """Whether JSON is what the model says. What has no value is left out, and never null."""
    kinds = {"string": str, "boolean": bool, "timestamp": (int, float), "structure": dict, "list": list, "blob": str}
    kind = kinds.get(shape.type_name, int) if shape else dict
    assert isinstance(found, kind), f"{path} is {found!r}"
    assert kind is bool or not isinstance(found, bool), f"{path} is {found!r}"
    if kind is dict:
        members = shape.members if shape else {}
        for name, value in found.items():
            assert name in members, f"{path} holds {name}, which nobody knows"
            check(value, members[name], f"{path}.{name}")
    elif kind is list:
        for number, value in enumerate(found):
            check(value, shape.member, f"{path}[{number}]")
