"""Contrail in front of one emulator: it gives the answers that the emulator gives, records every call, delivers to it, and
goes on when either of the two was killed.

    emulators_trial.py NAME FOLDER     FOLDER: where the emulator is installed"""

import collections
import contextlib
import gzip
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

import sessions
from identify_trial import expected

# Of a connection, or of the moment; lengths follow from what is compared, times in it among it.
HEADERS = {"connection", "keep-alive", "date", "transfer-encoding", "last-modified", "content-length"}
WANTED = expected()


def python(folder, *arguments):
    return [f"{folder}/bin/{arguments[0]}", *arguments[1:]]


def node(folder, *arguments):
    return [f"{folder}/node_modules/node/bin/node", f"{folder}/node_modules/.bin/{arguments[0]}", *arguments[1:]]


# Where an emulator that writes files keeps them.
STATE = "state"
WHOLE = "s3 sqs sns dynamodb kinesis iam sts secretsmanager ssm kms ec2 logs"
LOCAL = "s3 sqs sns iam sts secretsmanager ssm kms ec2 logs"
# The services that a session asks for; how it is started on a port, with what in its environment, which may name the port that
# everybody else uses.
EMULATORS = {
    "ministack": (WHOLE, lambda folder, port: python(folder, "ministack"),
                  lambda port, front: {"GATEWAY_PORT": port, "BIND_HOST": "127.0.0.1"}),
    # Without DynamoDB and Kinesis, for which it fetches other programs.
    "localstack": (LOCAL, lambda folder, port: python(folder, "python", "-m", "localstack.runtime.main"),
                   lambda port, front: {"GATEWAY_LISTEN": f"127.0.0.1:{port}", "LOCALSTACK_HOST": f"localhost:{front}",
                                        "SKIP_SSL_CERT_DOWNLOAD": "1", "DISABLE_EVENTS": "1"}),
    "localemu": (LOCAL, lambda folder, port: python(folder, "localemu", "start", "--host", "127.0.0.1", "--port", port),
                 lambda port, front: {"LOCALEMU_HOST": f"localhost:{front}"}),
    "fauxqs": ("s3 sqs sns", lambda folder, port: node(folder, "fauxqs"),
               lambda port, front: {"FAUXQS_PORT": port, "FAUXQS_HOST": "127.0.0.1"}),
    "dynalite": ("dynamodb", lambda folder, port: node(folder, "dynalite", "--host", "127.0.0.1", "--port", port, "--createTableMs", "1"),
                 lambda port, front: {}),
    "kinesalite": ("kinesis", lambda folder, port: node(folder, "kinesalite", "--port", port, "--createStreamMs", "1"),
                   lambda port, front: {}),
    "s3rver": ("s3", lambda folder, port: node(folder, "s3rver", "-d", STATE, "-a", "127.0.0.1", "-p", port),
               lambda port, front: {}),
    "smarts3": ("s3", lambda folder, port: [f"{folder}/node_modules/node/bin/node", f"{folder}/smarts3.mjs", port],
                lambda port, front: {}),
    "localbucket": ("s3", lambda folder, port: python(folder, "localbucket", "--port", port, STATE), lambda port, front: {}),
    "s3s-fs": ("s3", lambda folder, port: [f"{folder}/bin/s3s-fs", "--host", "127.0.0.1", "--port", port, "--access-key", "test", "--secret-key", "test",
                                        STATE],
               lambda port, front: {}),
}
# Emulators whose GetBucketLocation names a place that the AWS CLI does not know, or which have none.
LOST_BUCKETS = {"fauxqs", "localbucket"}
# Emulators that do not name the address that they are called by, but one that they are told.
TOLD = {"localstack", "localemu"}
# s3rver, which is in smarts3 too, knows one key, and checks signatures.
KEYS = {name: ("S3RVER", "S3RVER") for name in ("s3rver", "smarts3")}


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return str(taken.getsockname()[1])


def wait_for(what, seconds=120):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return
        time.sleep(0.05)
    raise AssertionError(f"nothing came within {seconds} s")


def answers(address):
    try:
        connection = http.client.HTTPConnection(address, timeout=5)
        connection.request("GET", "/")
        connection.getresponse().read()
        return True
    except OSError:
        return False


class Process:
    """A server of which there is one at a time, and which can be killed."""

    def __init__(self, command, environment, log):
        self.command, self.environment, self.log = command, environment, log
        self.running = None

    def start(self, address):
        assert not answers(address), f"something else answers on {address}"
        with open(self.log, "a") as log:
            self.running = subprocess.Popen(self.command, env={**os.environ, **self.environment}, stdout=log,
                                            stderr=log, start_new_session=True)
        wait_for(lambda: answers(address) or self.running.poll() is not None)
        assert self.running.poll() is None, f"{self.command} ended: see {self.log}"

    def kill(self):
        if self.running is not None:
            # With what it has started itself; one that could not start is gone already.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.running.pid, signal.SIGKILL)
            self.running.wait()
            self.running = None


class Session:
    """Calls to one place, and what came of each. In answers that place, and one that the emulator was told, are HOST."""

    def __init__(self, address, service, told=None):
        config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, inject_host_prefix=False,
                        read_timeout=60)
        self.client = boto3.client(service, endpoint_url=f"http://{address}", config=config)
        self.service, self.found = service, []
        self.hosts = [name for host in (address, told) if host for name in (host, host.replace("127.0.0.1", "localhost"))]
        self.client.meta.events.register_last("before-send.*", self.number)

    def number(self, request, **_):
        request.headers["User-Agent"] = f"{self.service}/{len(self.found)}"

    def __call__(self, method, **asked):
        try:
            answer = getattr(self.client, method)(**asked)
        except ClientError as e:
            answer = e.response
        body = answer.get("Body")
        answer = {**answer, "Body": body.read()} if hasattr(body, "read") else answer
        self.found.append((self.client.meta.method_to_api_mapping[method], flat(answer, self.hosts)))
        return answer

    def until(self, method, is_there, **asked):
        """The same call until something is there, which counts as one."""
        kept = list(self.found)

        def look():
            self.found[:] = kept
            self.answer = self(method, **asked)
            return is_there(self.answer)

        wait_for(look)
        return self.answer


def flat(value, hosts, path=""):
    """What is in an answer, by its path."""
    if isinstance(value, dict):
        found = {}
        for name, inner in value.items():
            if path != ".ResponseMetadata.HTTPHeaders" or name not in HEADERS:
                found.update(flat(inner, hosts, f"{path}.{name}"))
        return found
    if isinstance(value, list):
        return {path: len(value), **{k: v for n, inner in enumerate(value) for k, v in flat(inner, hosts, f"{path}[{n}]").items()}}
    text = repr(value)
    for host in hosts:
        text = text.replace(host, "HOST")
    return {path: text}


def run_sessions(address, services, told=None):
    """(service, number) → (operation, what came of it)"""
    found = {}
    for service in services:
        session = Session(address, service, told)
        getattr(sessions, service)(session)
        found.update(((service, number), outcome) for number, outcome in enumerate(session.found))
    return found


def compare(straight, again, through):
    """What is not the same through Contrail, but for what differs between two sessions without it."""
    assert list(straight) == list(through), "not the same calls"
    different = []
    for key, (operation, first) in straight.items():
        second, third = again[key][1], through[key][1]
        for path in sorted(first.keys() | third.keys()):
            if first.get(path) == second.get(path) and third.get(path) != first.get(path):
                different.append(f"{key[0]} {operation}{path}: {first.get(path)} straight, {third.get(path)} through")
    return different


def records(address):
    flush = urllib.request.Request(f"http://{address}/_contrail/flush", method="POST")
    urllib.request.urlopen(flush).read()
    with urllib.request.urlopen(f"http://{address}/_contrail/events") as answer:
        return [json.loads(line) for line in answer]


def main():
    name, folder = sys.argv[1:]
    asked, command, environment = EMULATORS[name]
    services = asked.split()
    os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"] = KEYS.get(name, ("test", "test"))
    port, own = free_port(), free_port()
    behind, front = f"127.0.0.1:{port}", f"127.0.0.1:{own}"
    emulator = Process(command(folder, port), environment(port, own), "emulator.log")
    upstreams = {"CONTRAIL__RECORDER__UPSTREAM": f"http://{behind}"}
    if asked not in (WHOLE, LOCAL):
        upstreams = {f"CONTRAIL__RECORDER__UPSTREAMS__{service.upper()}": f"http://{behind}" for service in services}
    contrail = Process([os.environ["CONTRAIL_BIN"], "--port", own, "--data-dir", "data", "--era", "today"],
                       {**upstreams, "CONTRAIL__RECORDER__DATA_EVENTS": "true", "CONTRAIL__RECORDER__STRICT": "true",
                        "CONTRAIL__DELIVERY__PERIOD": "36500d"}, "contrail.log")
    try:
        trial(name, services, emulator, contrail, behind, front)
    finally:
        contrail.kill()
        emulator.kill()


def trial(name, services, emulator, contrail, behind, front):
    runs = []
    for address in (behind, behind, front):
        # Without state, so that ids that are counted begin anew.
        shutil.rmtree(STATE, ignore_errors=True)
        os.mkdir(STATE)
        emulator.start(behind)
        # Each session has a second of its own: what follows from the time is to differ between the two without Contrail.
        second = int(time.time())
        wait_for(lambda: int(time.time()) > second)
        if address == front:
            contrail.start(front)
            runs.append(run_sessions(front, services))
        else:
            runs.append(run_sessions(address, services, front if name in TOLD else None))
            emulator.kill()
    straight, again, through = runs
    different = compare(straight, again, through)
    for line in different:
        print("  " + line)
    names = collections.defaultdict(set)
    for record in records(front):
        names[record["userAgent"].strip("[]")].add((record["eventSource"], record["eventName"]))
    wrong = []
    for (service, number), (operation, _) in through.items():
        if WANTED[service, operation] not in names[f"{service}/{number}"]:
            wrong.append(f"{service} {operation}: {names[f'{service}/{number}']}")
    for line in wrong:
        print("  recorded as something else: " + line)
    said = delivers(name, front)
    made = killed(services[0], contrail, front)
    away(services[0], emulator, behind, front)
    print(f"{name}: {len(straight)} calls of {len(services)} services, the same through Contrail and recorded; a trail "
          f"delivered{said}; {made} calls outlived a kill; away and back")
    assert not different and not wrong


def delivers(name, front):
    """A trail that delivers to the emulator's S3, or to the embedded store where it has none; what the AWS CLI says of it."""
    s3 = Session(front, "s3").client
    trail = boto3.client("cloudtrail", endpoint_url=f"http://{front}")
    s3.create_bucket(Bucket="trail-logs")
    arn = trail.create_trail(Name="audit", S3BucketName="trail-logs", EnableLogFileValidation=True)["TrailARN"]
    trail.start_logging(Name="audit")
    trail.add_tags(ResourceId=arn, TagsList=[{"Key": "team", "Value": "blue"}])
    flush = urllib.request.Request(f"http://{front}/_contrail/flush", method="POST")
    with urllib.request.urlopen(flush) as answer:
        flushed = json.load(answer)
    assert not flushed["failures"] and flushed["log_files"], flushed
    (file,) = flushed["log_files"]
    log = json.loads(gzip.decompress(s3.get_object(Bucket="trail-logs", Key=file["key"])["Body"].read()))
    assert "AddTags" in {record["eventName"] for record in log["Records"]}, log
    if name in LOST_BUCKETS:
        return ""
    environment = {**os.environ, "AWS_ENDPOINT_URL": f"http://{front}"}
    environment.pop("AWS_ENDPOINT_URL_CLOUDTRAIL", None)
    validate = ["aws", "cloudtrail", "validate-logs", "--trail-arn", arn, "--start-time", "2026-01-01", "--verbose"]
    done = subprocess.run(validate, capture_output=True, text=True, env=environment)
    assert done.returncode == 0 and "log files valid" in done.stdout, (done.stdout, done.stderr)
    return ", and its files are valid"


# A call of each first service that changes nothing that matters.
HARMLESS = {"s3": ("list_buckets", {}), "dynamodb": ("list_tables", {}), "kinesis": ("list_streams", {})}


def killed(service, contrail, front):
    """Kills Contrail right behind an answer, and starts it again: nothing that was answered is lost. The number of calls."""
    session = Session(front, service)
    method, asked = HARMLESS[service]
    before = len(records(front))
    for number in range(30):
        session(method, **asked)
        if number % 10 == 9:
            contrail.kill()
            contrail.start(front)
    statuses = {outcome[".ResponseMetadata.HTTPStatusCode"] for _, outcome in session.found}
    assert statuses == {"200"}, statuses
    after = len(records(front))
    assert after - before == 30, (before, after)
    return 30


def away(service, emulator, behind, front):
    """Kills the emulator, whose callers get an error that they may try again, and starts it again."""
    session = Session(front, service)
    method, asked = HARMLESS[service]
    emulator.kill()
    session(method, **asked)
    emulator.start(behind)
    session(method, **asked)
    statuses = [outcome[".ResponseMetadata.HTTPStatusCode"] for _, outcome in session.found]
    assert statuses == ["503", "200"], statuses


main()
