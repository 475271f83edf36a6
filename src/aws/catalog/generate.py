#!/usr/bin/env python3
"""Writes AWS's services and operations, as the installed botocore knows them, to operations.tsv.gz beside this file, or
to the file that is named: contrail --operations FILE reads that one instead.

botocore's service models are © Amazon.com, Inc. or its affiliates, Apache License 2.0. Run it again with a newer
botocore to learn newer operations: pip install -U botocore && python3 generate.py [FILE]

exceptions.tsv has what the models do not say: how records name things, and what kind of event a call is.

S  key  signing name  endpoint prefix  protocols  API version  target prefix  source  also  unsigned  sensitive
   source: the first label of eventSource, where that is not the signing name
   also: other signing names, each with its first label of eventSource (s3express=s3express)
   unsigned: "unsigned" where some of its REST operations come without a signature, or with a bearer token
   sensitive: members that are
T  numbers  booleans  lists  maps  times  structures  renamed    names of members as they are on the wire, by what they hold; a list
                                             with the name of its items (list=item) where that is not "member", a
                                             member of a path, query or header that has another name (wire=name; headers
                                             in small letters)
N  operation=event ...                           names that records have for operations, where they are others
D  resource type  operation ...                  operations that make data events, and on what
E  name ...                                      events that no operation makes, and that change something
F  name ...                                      the same for those that only read
O  name                                          operations of the service above that change something
R  name                                          the same for those that only read
O  name  method  path  flags  required  secret   those of which there is more to say (R likewise)
   flags: 1 deprecated, 2 body in is a stream, 4 body out is one, 8 younger than EC2's API of 2015-03-01, 16 comes
   without a signature, or with a bearer token
   required: query members (?name) and headers of REST operations, and what they are signed for (@name);
   secret: dotted members that are sensitive here, "*" for all names of a map; those that records do not have at all begin with "-"
"""
import collections
import datetime
import gzip
import pathlib
import sys

import botocore
import botocore.session

# How names of operations begin that only read: EventFacts::by_name has the same.
READS = ("Get", "List", "Describe", "Head", "Lookup", "Search", "BatchGet", "Query", "Scan", "Select", "Check", "Detect",
         "Simulate")
FLAGS = {"deprecated": 1, "in": 2, "out": 4, "young": 8, "unsigned": 16}
# Beyond this many characters (quicksight) names that are secret in some places are taken for secret everywhere.
MAX_PATHS = 30_000
NUMBERS = ("integer", "long", "float", "double")


def streams(shapes, shape):
    payload = shape.get("payload")
    if not payload:
        return False
    member = shape["members"][payload]
    target = shapes[member["shape"]]
    return bool(target.get("eventstream") or member.get("streaming") or target.get("streaming") or target["type"] == "blob")


def wire_names(protocol, name, member, target):
    """The names under which a member goes over the wire, in and out."""
    found = {name, member.get("locationName", name)}
    if protocol == "ec2":
        found.add(member.get("queryName", ""))
        found.update(name[:1].upper() + name[1:] for name in list(found))
    if target["type"] == "list" and (target.get("flattened") or protocol == "ec2"):
        found.add(target["member"].get("locationName", ""))
    return found - {""}


def holds(shapes, target):
    kind = target["type"]
    if kind in NUMBERS:
        return "numbers"
    plural = {"boolean": "booleans", "list": "lists", "map": "maps", "timestamp": "times", "structure": "structures"}
    return plural.get(kind, "texts")


def is_secret(shapes, target):
    within = {"list": "member", "map": "value"}.get(target["type"])
    inner = shapes[target[within]["shape"]] if within else target
    return bool(target.get("sensitive") or inner.get("sensitive"))


def sensitive(shapes):
    """Names that are secret wherever they stand, and names that are so in some places."""
    secret, plain = set(), set()
    for shape in shapes.values():
        for name, member in shape.get("members", {}).items():
            into = secret if is_secret(shapes, shapes[member["shape"]]) else plain
            into.update((name, member.get("locationName", name)))
    return secret - plain, secret & plain


def secret_paths(protocol, shapes, shape, names, path=(), seen=()):
    """Where members of these names are secret below a shape, as dotted names; "*" stands for all names of a map."""
    if shape in seen:
        return
    target, seen = shapes[shape], (*seen, shape)
    if target["type"] == "list":
        yield from secret_paths(protocol, shapes, target["member"]["shape"], names, path, seen)
    elif target["type"] == "map":
        yield from secret_paths(protocol, shapes, target["value"]["shape"], names, (*path, "*"), seen)
    for name, member in target.get("members", {}).items():
        inner, wire = shapes[member["shape"]], member.get("locationName", name)
        if is_renamed(name, member):
            wire = name
        if {name, wire} & names and is_secret(shapes, inner):
            yield ".".join((*path, wire))
        # The body as a whole: its members stand at the top.
        elif protocol == "rest-json" and name == target.get("payload") and inner["type"] == "structure":
            yield from secret_paths(protocol, shapes, member["shape"], names, path, seen)
        else:
            yield from secret_paths(protocol, shapes, member["shape"], names, (*path, wire), seen)


def is_renamed(name, member):
    """Whether a member has another name in a path, a query or a header than in the model."""
    small = lambda text: text[:1].lower() + text[1:]
    elsewhere = member.get("location") in ("uri", "querystring", "header")
    return elsewhere and small(member.get("locationName", name)) != small(name)


def holds_mostly(kind, found):
    """Whether members of a name hold this kind. What is text can be a value of one kind only, but that `true` is hardly
    ever a name; a name that is a map or a list in most places is one, and so is one that nothing else is but a structure."""
    if kind in ("maps", "lists"):
        return found.most_common(1)[0][0] == kind
    if kind == "structures":
        return len(found) == 1 and kind in found
    values = {"numbers", "booleans", "times", "texts"} & set(found)
    if kind == "booleans" and found["booleans"] > found["texts"]:
        values.discard("texts")
    return values == {kind} and found.most_common(1)[0][0] not in ("maps", "lists")


def types(protocol, shapes):
    """What members hold. A name that holds different things in different places is left out."""
    kinds, items, renamed, queried = {}, {}, set(), set()
    for shape in shapes.values():
        for name, member in shape.get("members", {}).items():
            target = shapes[member["shape"]]
            for wire in wire_names(protocol, name, member, target):
                kinds.setdefault(wire, collections.Counter())[holds(shapes, target)] += 1
                if target["type"] == "list" and not target.get("flattened"):
                    items[wire] = target["member"].get("locationName", "member")
            location = member.get("locationName", name)
            if member.get("location") == "querystring":
                queried.update((name, location))
            if is_renamed(name, member):
                in_header = member["location"] == "header"
                renamed.add(f"{location.lower() if in_header else location}={name}")
    xml = protocol in ("query", "ec2", "rest-xml")
    cells = []
    for kind in ("numbers", "booleans", "lists", "maps", "times", "structures"):
        wanted = xml or kind in ("maps", "times") or protocol == "rest-json" and kind in ("numbers", "booleans", "lists")
        names = []
        for wire, found in sorted(kinds.items()):
            if wanted and holds_mostly(kind, found) and (xml or kind != "lists" or wire in queried):
                item = items.get(wire, "member")
                names.append(f"{wire}={item}" if kind == "lists" and item != "member" else wire)
        cells.append(",".join(names))
    return (*cells, ",".join(sorted(renamed)))


def required(shape):
    found = []
    for name in shape.get("required", []):
        member = shape["members"][name]
        if member.get("location") == "querystring":
            found.append("?" + member["locationName"])
        elif member.get("location") == "header":
            found.append(member["locationName"].lower())
    return found


class Exceptions:
    """exceptions.tsv: {kind: {service: [cells]}}."""

    def __init__(self):
        self.lines = collections.defaultdict(lambda: collections.defaultdict(list))
        for line in pathlib.Path(__file__).with_name("exceptions.tsv").read_text().splitlines():
            if line and not line.startswith("#"):
                kind, service, *cells = line.split("\t")
                self.lines[kind][service].append(cells)
        self.services = {service for kind in self.lines.values() for service in kind}

    def of(self, kind, service):
        return self.lines[kind].get(service, [])

    def names(self, kind, service):
        return {name for cells in self.of(kind, service) for name in cells[-1].split(",")}

    def check(self, service, operations):
        """Says which lines are about operations that the model does not have: a mistake, or they have gone."""
        named = {cells[0] for kind in ("name", "only") for cells in self.of(kind, service)} | self.names("read", service)
        named |= self.names("write", service) | self.names("data", service)
        named |= {name for kind in ("secret", "dropped") for cells in self.of(kind, service) for name in cells[0].split(",")}
        unknown = named - set(operations) - {cells[0] for cells in self.of("event", service)} - {"*"}
        if unknown:
            print(f"exceptions.tsv: {service} has no operation {', '.join(sorted(unknown))}", file=sys.stderr)


def is_unsigned(meta, operation):
    takes_tokens = meta.get("signatureVersion") == "bearer" or "smithy.api#httpBearerAuth" in meta.get("auth", [])
    return takes_tokens or operation.get("authtype") == "none" or operation.get("auth") == ["smithy.api#noAuth"]


def event_names(exceptions, key, version, operations):
    """{operation: eventName}, where it is another name."""
    names = {cells[0]: cells[1] for cells in exceptions.of("name", key)}
    for (date,) in exceptions.of("dated", key):
        for name, operation in operations.items():
            first = operation["http"]["requestUri"].strip("/").split("/")[0].replace("-", "")
            digits = first if first.isdigit() and len(first) == 8 else ""
            names.setdefault(name, name + (digits if date == "path" else version.replace("-", "_")))
    return {name: event for name, event in names.items() if name != event}


def rows():
    yield "#", "botocore " + botocore.__version__, datetime.date.today().isoformat()
    exceptions = Exceptions()
    loader = botocore.session.Session().get_component("data_loader")
    services = loader.list_available_services("service-2")
    for gone in sorted(exceptions.services - set(services)):
        print(f"exceptions.tsv: there is no service {gone}", file=sys.stderr)
    for key in services:
        model = loader.load_service_model(key, "service-2")
        meta, shapes = model["metadata"], model["shapes"]
        protocols = [meta["protocol"], *(p for p in meta.get("protocols", []) if p != meta["protocol"])]
        signing = meta.get("signingName") or meta["endpointPrefix"]
        old = set(loader.load_service_model(key, "service-2", "2015-03-01")["operations"]) if key == "ec2" else None
        rest, operations = meta["protocol"].startswith("rest"), model["operations"]
        secret, in_places = sensitive(shapes)
        paths = {}
        for name, operation in model["operations"].items():
            ends = (operation[end]["shape"] for end in ("input", "output") if end in operation)
            paths[name] = ",".join(sorted({path for end in ends for path in secret_paths(meta["protocol"], shapes, end, in_places)}))
        if sum(map(len, paths.values())) > MAX_PATHS:
            secret, paths = secret | in_places, {}
        for kind, mark in (("secret", ""), ("dropped", "-")):
            for named, members in exceptions.of(kind, key):
                for name in named.split(","):
                    named_here = members.split(",")
                    known = [member for member in paths.get(name, "").split(",") if member and member not in named_here]
                    paths[name] = ",".join(known + [mark + member for member in named_here])
        yield ("S", key, signing, meta["endpointPrefix"], ",".join(protocols), meta["apiVersion"],
               meta.get("targetPrefix", ""), next((cells[0] for cells in exceptions.of("source", key)), ""),
               ",".join(f"{name}={source}" for name, source in exceptions.of("also", key)),
               "unsigned" if rest and any(is_unsigned(meta, o) for o in operations.values()) else "",
               ",".join(sorted(secret)))
        yield ("T", *types(meta["protocol"], shapes))
        exceptions.check(key, operations)
        names = event_names(exceptions, key, meta["apiVersion"], operations)
        if names:
            yield ("N", *(f"{name}={event}" for name, event in sorted(names.items())))
        for resource_type, data in exceptions.of("data", key):
            yield ("D", resource_type, *(sorted(operations) if data == "*" else data.split(",")))
        for kind, letter in (("write", "E"), ("read", "F")):
            events = sorted(name for name, found in exceptions.of("event", key) if found == kind)
            if events:
                yield (letter, *events)
        for name, operation in sorted(model["operations"].items()):
            flags = bool(operation.get("deprecated")) * FLAGS["deprecated"]
            flags |= (old is not None and name not in old) * FLAGS["young"]
            shape_in = shapes.get(operation.get("input", {}).get("shape"), {})
            shape_out = shapes.get(operation.get("output", {}).get("shape"), {})
            flags |= (rest and is_unsigned(meta, operation)) * FLAGS["unsigned"]
            flags |= streams(shapes, shape_in) * FLAGS["in"] | streams(shapes, shape_out) * FLAGS["out"]
            http = operation["http"] if rest else {"method": "", "requestUri": ""}
            needs = required(shape_in) + [f"@{cells[1]}" for cells in exceptions.of("only", key) if cells[0] == name]
            cells = (http["method"], http["requestUri"], str(flags), ",".join(needs) * rest, paths.get(name, ""))
            reads = operation.get("readonly") or name.startswith(READS) or name in exceptions.names("read", key)
            letter = "R" if reads and name not in exceptions.names("write", key) else "O"
            yield (letter, name, *cells) if rest or flags or cells[-1] else (letter, name)


def main():
    text = "".join("\t".join(row) + "\n" for row in rows())
    beside = pathlib.Path(__file__).with_name("operations.tsv.gz")
    path = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else beside
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(path.name, len(text), "bytes,", path.stat().st_size, "packed")


if __name__ == "__main__":
    main()
