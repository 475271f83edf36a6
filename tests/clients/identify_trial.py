"""Every request that botocore can build, sent through Contrail to an upstream that answers nothing: is it recorded under
the name of the operation that was meant?

    identify_trial.py [--full]           all members instead of those that are required
    identify_trial.py --sample FILE      writes some of the requests to a file (tests/it/identify/requests.tsv)
"""

import base64
import contextlib
import http.client
import http.server
import json
import multiprocessing
import os
import pathlib
import re
import sqlite3
import subprocess
import sys
import threading
import urllib.request

import botocore
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.session import Session
from botocore.tokens import FrozenAuthToken

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "src/aws/catalog"))
from generate import Exceptions, event_names, rows  # noqa: E402

FULL = "--full" in sys.argv
# What members hold that the models mark as sensitive.
SECRET = "s3cr3t"
# Services where they are shown: those of S3 are ids of keys, and the other's calls are taken for the older Chime's, which
# marks less.
UNMARKED = ("s3", "chime-sdk-voice")
# Members that clients look into before they send.
VALUES = {
    "AccountId": "123456789012", "Bucket": "bucket-1", "bucket": "bucket-1", "Key": "folder/key",
    "CopySource": "bucket-2/key", "ChecksumAlgorithm": "CRC32", "RestApiId": "abcdefghij",
    "KvsARN": "arn:aws:cloudfront::123456789012:key-value-store/a1", "PredictEndpoint": "http://127.0.0.1:4700",
}


class Upstream(http.server.BaseHTTPRequestHandler):
    """Answers with the number that the request has as its request id."""

    protocol_version = "HTTP/1.1"

    def answer(self):
        if "chunked" in self.headers.get("transfer-encoding", ""):
            while size := int(self.rfile.readline(), 16):
                self.rfile.read(size + 2)
            self.rfile.readline()
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(200)
        self.send_header("x-amzn-requestid", self.headers.get("x-number", "none"))
        self.send_header("content-length", "0")
        self.end_headers()

    do_GET = do_PUT = do_POST = do_DELETE = do_PATCH = do_HEAD = answer

    def log_message(self, *_):
        pass


class Token:
    """The bearer token of services that want one."""

    def load_token(self, **_):
        return self

    def get_frozen_token(self):
        return FrozenAuthToken("token")


def value(shape, name, seen):
    """A value of a shape, as small as the model allows."""
    if name in VALUES and shape.type_name == "string":
        return VALUES[name]
    if shape.type_name == "structure":
        if shape.name in seen:
            return {}
        members = shape.members if FULL and len(seen) < 3 else shape.required_members
        if getattr(shape, "is_tagged_union", False):
            members = list(shape.members)[:1]
        if getattr(shape, "is_document_type", False):
            return {}
        return {m: value(shape.members[m], m, (*seen, shape.name)) for m in members}
    least = shape.metadata.get("min", 0) or 0
    if shape.type_name == "list":
        return [value(shape.member, name, (*seen, shape.name))] * max(least, 1) if shape.name not in seen else []
    if shape.type_name == "map":
        return {f"k{n}": value(shape.value, "", (*seen, shape.name)) for n in range(max(least, 1))}
    if shape.metadata.get("sensitive"):
        if shape.type_name == "string" and not shape.enum:
            return (SECRET * 200)[: max(least, len(SECRET))]
        if shape.type_name == "blob":
            return SECRET.encode()
    if shape.type_name == "string":
        return shape.enum[0] if shape.enum else ("a1" * 600)[: max(least, 4)]
    if shape.type_name == "timestamp":
        return "2026-11-22T05:30:00Z"
    if shape.type_name == "boolean":
        return True
    if shape.type_name == "blob":
        return b"a"
    return max(least, 1)


def build(key):
    """The requests of a service: what is meant, and how it goes over the wire. And what cannot be built. Where SDKs put
    something before the host's name (an account, the kind of an endpoint), the request is there in that form too."""
    made, not_made = build_at(key, "https://127.0.0.1:4700", False)
    prefixed, _ = build_at(key, "https://localhost:4700", True)
    return made + [request for request in prefixed if request["headers"]["Host"] != "localhost:4700"], not_made


def build_at(key, endpoint, with_prefix):
    session = Session()
    session.set_credentials("123456789012", "secret")
    session.register_component("token_provider", Token())
    made, not_made = [], []
    config = Config(inject_host_prefix=with_prefix, parameter_validation=False, retries={"total_max_attempts": 1})
    client = session.create_client(key, "us-east-1", endpoint_url=endpoint, config=config)
    taken = []

    def take(request, **_):
        taken.append(request)
        return AWSResponse(request.url, 200, {}, None)

    client.meta.events.register_last("before-send.*", take)
    model = client.meta.service_model
    names = {v: k for k, v in client.meta.method_to_api_mapping.items()}
    for name in model.operation_names:
        operation = model.operation_model(name)
        taken.clear()
        try:
            asked = value(operation.input_shape, "", ()) if operation.input_shape else {}
            getattr(client, names[name])(**asked)
        except Exception as e:
            # It was sent all the same; the empty answer could not be read.
            if not taken:
                not_made.append((key, name, f"{type(e).__name__}: {e}"[:150]))
                continue
        request = taken[-1]
        body = request.body if isinstance(request.body, (bytes, str, type(None))) else request.body.read()
        body = body.encode() if isinstance(body, str) else body or b""
        target = re.sub("^[a-z]+://[^/]*", "", request.url) or "/"
        host = re.match("[a-z]+://([^/]*)", request.url)[1]
        headers = {k: v.decode() if isinstance(v, bytes) else v for k, v in request.headers.items()}
        headers.setdefault("Host", host)
        made.append({"service": key, "operation": name, "method": request.method, "target": target,
                     "headers": headers, "body": body.decode("latin-1")})
    return made, not_made


def expected():
    """(service, operation) → (eventSource, eventName)"""
    exceptions, loader, wanted = Exceptions(), Session().get_component("data_loader"), {}
    for key in loader.list_available_services("service-2"):
        model = loader.load_service_model(key, "service-2")
        meta = model["metadata"]
        own = meta.get("signingName") or meta["endpointPrefix"]
        source = next((cells[0] for cells in exceptions.of("source", key)), own)
        names = event_names(exceptions, key, meta["apiVersion"], model["operations"])
        for name in model["operations"]:
            wanted[key, name] = (f"{source}.amazonaws.com", names.get(name, name))
    return wanted


def reads():
    """(service, operation) → whether it only reads"""
    service, found = "", {}
    for kind, *cells in rows():
        if kind == "S":
            service = cells[0]
        elif kind in "RO":
            found[service, cells[0]] = kind == "R"
    return found


def signing_name(request):
    found = re.search("/([A-Za-z0-9-]*)/aws4_request", request["headers"].get("Authorization", ""))
    return found[1] if found else ""


def meaning(request, wanted):
    """eventSource and eventName of a request."""
    source, name = wanted[request["service"], request["operation"]]
    # Where calls of S3 are signed for another name, records have that one.
    if request["service"] in ("s3", "s3control"):
        source = f"{signing_name(request)}.amazonaws.com"
    return source, name


def sample(requests, wanted):
    """All requests for S3, and for every other service the one whose path says most: tab-separated eventSource,
    eventName, signing name, method, target, headers with blanks between, body."""
    best = {}
    for request in requests:
        service, path = request["service"], request["target"]
        key = (service, request["operation"] if service == "s3" else "")
        if key not in best or path.count("/") > best[key]["target"].count("/"):
            best[key] = request
    kept = ("x-amz-target", "content-type", "smithy-protocol")
    for request in best.values():
        scope = signing_name(request) or request["headers"].get("Authorization", "")[:6].strip()
        headers = {k.lower(): v for k, v in request["headers"].items()}
        headers = {k: v for k, v in headers.items() if k in kept or request["service"] == "s3" and k.startswith("x-amz-")}
        for noise in ("x-amz-date", "x-amz-content-sha256", "x-amz-security-token"):
            headers.pop(noise, None)
        body = request["body"] if "x-www-form-urlencoded" in headers.get("content-type", "") else ""
        headers = " ".join(f"{k}={v.split(';')[0].replace(' ', '')}" for k, v in sorted(headers.items()))
        yield "\t".join((*meaning(request, wanted), scope, request["method"], request["target"], headers, body))


@contextlib.contextmanager
def contrail_in_front(upstream):
    """A server in front of another one, recording everything; its address."""
    flags = ["--port", "0", "--data-dir", "data", "--era", "today", "--upstream", upstream]
    settings = {"CONTRAIL__RECORDER__DATA_EVENTS": "true", "CONTRAIL__RECORDER__QUEUE_CALLS": "100000"}
    with open("contrail.log", "w") as log:
        server = subprocess.Popen([os.environ["CONTRAIL_BIN"], *flags], stdout=subprocess.PIPE, stderr=log, text=True,
                                  env={**os.environ, **settings})
        try:
            yield next(found[1] for line in server.stdout if (found := re.search(r"listens on http://(\S*)", line)))
        finally:
            server.terminate()
            server.wait()


def answers_nothing():
    """An upstream that answers nothing; its URL."""
    upstream = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{upstream.server_port}"


def send(address, requests):
    """Sends all requests, each with its number, over one connection."""
    connection = http.client.HTTPConnection(address)
    for number, request in enumerate(requests):
        body = request["body"].encode("latin-1")
        connection.putrequest(request["method"], request["target"], skip_host=True, skip_accept_encoding=True)
        for name, text in request["headers"].items():
            if name.lower() not in ("content-length", "transfer-encoding", "expect"):
                connection.putheader(name, text)
        connection.putheader("x-number", str(number))
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        connection.getresponse().read()


def recorded(address):
    """What was recorded, by the number of the request; of DeleteObjects not the events of each key, which come behind it."""
    flush = urllib.request.Request(f"http://{address}/_contrail/flush", method="POST")
    urllib.request.urlopen(flush).read()
    with urllib.request.urlopen(f"http://{address}/_contrail/events") as answer:
        found = {}
        for record in map(json.loads, answer):
            found.setdefault(record["requestID"], record)
        return found


def without_resources():
    """Operations with a rule for what lookups list of their requests, of which nothing is listed."""
    rules = pathlib.Path(__file__).parents[2] / "src/domain/resources/rules.tsv"
    lines = [line.split("\t") for line in rules.read_text().splitlines() if "=request." in line and line[0] != "#"]
    named = {(f"{source}.amazonaws.com", event) for source, event, *_ in lines if not set(event) & set("*!,")}
    listed = {}
    with contextlib.closing(sqlite3.connect("data/contrail.db")) as database:
        for source, event, resources in database.execute("SELECT event_source, event_name, resources FROM events"):
            listed[source, event] = listed.get((source, event), False) or resources != "[]"
    return sorted(what for what, is_listed in listed.items() if what in named and not is_listed)


def main():
    wanted = expected()
    with multiprocessing.Pool() as pool:
        built = pool.map(build, sorted({key for key, _ in wanted}), chunksize=1)
    # Contrail answers CloudTrail's calls itself.
    requests = [request for made, _ in built for request in made if request["service"] != "cloudtrail"]
    not_made = [what for _, missing in built for what in missing]
    print(f"botocore {botocore.__version__}: {len(requests)} requests; these cannot be built:")
    for what in not_made:
        print("  " + " ".join(what))
    if "--sample" in sys.argv:
        with open(sys.argv[-1], "w") as out:
            out.writelines(line + "\n" for line in sample(requests, wanted))
        return
    with contrail_in_front(answers_nothing()) as address:
        send(address, requests)
        found = recorded(address)
    if FULL:
        assert not (empty := without_resources()), f"lookups list nothing of {empty}"
    wrong, shown = [], []
    for number, request in enumerate(requests):
        meant, record = meaning(request, wanted), found.get(str(number), {})
        name = (record.get("eventSource"), record.get("eventName"))
        if name != meant:
            host = request["headers"]["Host"]
            wrong.append(f"{request['service']} {request['operation']} {request['method']} {host}: {name}")
        elif request["service"] in UNMARKED:
            continue
        elif SECRET in (text := json.dumps(record)) or base64.b64encode(SECRET.encode()).decode() in text:
            shown.append(f"{request['service']} {request['operation']}: {text}")
    right = len(requests) - len(wrong)
    print(f"recorded with the right source and name: {right} of {len(requests)}; the others:")
    for line in wrong:
        print("  " + line)
    print(f"a secret is in the records of {len(shown)}:")
    for line in shown:
        print("  " + line)
    assert not shown, "secrets are shown"
    unsigned = {}
    for request in requests:
        # Older services sign in the form.
        if "Authorization" not in request["headers"] and "AWSAccessKeyId=" not in request["target"] + request["body"]:
            unsigned.setdefault(request["service"], set()).add(request["operation"])
    print(f"unsigned by nature are {sum(map(len, unsigned.values()))} operations:")
    for service, names in sorted(unsigned.items()):
        print(f"  {service}: {', '.join(sorted(names))}")
    # With all members, one more names two operations.
    assert right >= (0.9997 if FULL else 0.9998) * len(requests), "too many are taken for something else"


if __name__ == "__main__":
    main()
