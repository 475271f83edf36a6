"""Calls of all services that moto has, made through Contrail with boto3: is each recorded under its name, as one that
reads or changes, and with the error that its caller got?"""

import concurrent.futures
import json
import os
import re
import socket
import urllib.request

import botocore
import moto.backends
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.session import Session

from identify_trial import Token, contrail_in_front, expected, reads, value

MOTO = os.environ["AWS_ENDPOINT_URL"]
# So that the whole of it stays under a minute.
MOST_OF_A_SERVICE = 20


def resolve(host, *more, found=socket.getaddrinfo):
    """S3 Control's clients put the account before the host, whatever that is."""
    return found(host.removeprefix("123456789012."), *more)


socket.getaddrinfo = resolve


def services():
    """Services that both have."""
    plain = lambda name: name.replace("-", "").replace("_", "").removeprefix("aws")
    offered = {plain(name) for name in moto.backends.list_of_moto_modules()}
    return [key for key in Session().get_available_services() if plain(key) in offered and key != "cloudtrail"]


def make_calls(key, address):
    """Calls operations of a service. Of each call: its number, the operation, and the error that its caller got."""
    session = Session()
    session.set_credentials("123456789012", "secret")
    session.register_component("token_provider", Token())
    config = Config(inject_host_prefix=False, parameter_validation=False, retries={"total_max_attempts": 1},
                    connect_timeout=5, read_timeout=60)
    client = session.create_client(key, "us-east-1", endpoint_url=f"http://{address}", config=config)
    numbers, made = [], []

    def number(request, **_):
        numbers.append(f"{key}/{len(numbers)}")
        request.headers["User-Agent"] = numbers[-1]

    client.meta.events.register_last("before-send.*", number)
    model = client.meta.service_model
    names = {v: k for k, v in client.meta.method_to_api_mapping.items()}
    for name in model.operation_names[:MOST_OF_A_SERVICE]:
        operation = model.operation_model(name)
        before = len(numbers)
        try:
            asked = value(operation.input_shape, "", ()) if operation.input_shape else {}
            getattr(client, names[name])(**asked)
            error = None
        except ClientError as e:
            error = e.response["Error"]
            # SQS and others: what older clients knew the error by, and what it is.
            code = error.get("QueryErrorCode") or error["Code"]
            error = (e.response["ResponseMetadata"]["HTTPStatusCode"], code)
        except Exception as e:
            # What came back could not be read: moto's fault.
            error = (None, f"{type(e).__name__}: {e}"[:120])
        if len(numbers) == before + 1:
            made.append((numbers[-1], key, name, operation.http["method"], error))
    return made


def recorded(address):
    """The records, by the number of the call."""
    flush = urllib.request.Request(f"http://{address}/_contrail/flush", method="POST")
    urllib.request.urlopen(flush).read()
    with urllib.request.urlopen(f"http://{address}/_contrail/events") as answer:
        # Those of S3 stand in brackets.
        return {r["userAgent"].strip("[]"): r for r in map(json.loads, answer)}


def code_in_record(key, method, error):
    """The code that a record has for an error that boto3 shows, as a pattern."""
    if error is None:
        return ""
    status, code = error
    if status is None:
        # An error page, or once a reply that no client can read.
        return r"(((Client|Server)\.)?[45]\d\d)?"
    if method == "HEAD" and code.isdigit():
        return f"{code}|NoSuchBucket|NoSuchKey"
    if key == "ec2":
        code = ("Server." if status >= 500 else "Client.") + code
    if key == "iam" and code == "NoSuchEntity":
        code += "Exception"
    return re.escape(code)


def main():
    wanted = expected()
    keys = services()
    with contrail_in_front(MOTO) as address:
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            made = [call for calls in pool.map(lambda key: make_calls(key, address), keys) for call in calls]
        records = recorded(address)
    only_read = reads()
    named, others = 0, []
    for number, key, name, method, error in made:
        record = records.get(number)
        if record is None:
            others.append(f"{key} {name}: not recorded, {error}")
            continue
        source, event_name = wanted[key, name]
        # Two of its operations are signed for another name.
        source = "s3express.amazonaws.com" if name.endswith("AccessPointScope") else source
        if (record["eventSource"], record["eventName"]) == (source, event_name):
            named += 1
        else:
            others.append(f"{key} {name}: {record['eventSource']} {record['eventName']}")
        if record["readOnly"] != only_read[key, name]:
            others.append(f"{key} {name}: readOnly is {record['readOnly']}")
        code = code_in_record(key, method, error)
        if not re.fullmatch(code, record.get("errorCode", "")):
            others.append(f"{key} {name}: errorCode is {record.get('errorCode')}, the caller got {error}")
    failed = sum(error is not None for *_, error in made)
    print(f"botocore {botocore.__version__}: {len(made)} calls of {len({key for _, key, *_ in made})} services, "
          f"{failed} of them failed; {named} have the right source and name; what is not right:")
    for line in others:
        print("  " + line)
    assert len(made) >= 1500, "these are too few to say anything"
    assert named >= 0.999 * len(made) and len(others) <= len(made) - named, "not all is recorded as it was"


main()
