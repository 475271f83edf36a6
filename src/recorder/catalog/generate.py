#!/usr/bin/env python3
"""Writes operations.tsv.gz beside this file: AWS's services and operations as the installed botocore knows them.

botocore's service models are © Amazon.com, Inc. or its affiliates, Apache License 2.0. Run it again with a newer
botocore to learn newer operations: pip install -U botocore && python3 generate.py

S  key  signing name  endpoint prefix  protocols  API version  target prefix  members that are sensitive
T  numbers  booleans  lists  maps  times  renamed    names of members as they are on the wire, by what they hold; a list
                                             with the name of its items (list=item) where that is not "member", a
                                             member of a path, query or header that has another name (wire=name)
O  name                                      operations of the service above; those of which there is more to say:
O  name  method  path  flags  required  secret
   flags: 1 deprecated, 2 body in is a stream, 4 body out is one, 8 younger than EC2's API of 2015-03-01
   required: query members (?name) and headers of REST operations; secret: dotted members that are sensitive here
"""
import collections
import gzip
import pathlib

import botocore
import botocore.session

FLAGS = {"deprecated": 1, "in": 2, "out": 4, "young": 8}
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
    return {"boolean": "booleans", "list": "lists", "map": "maps", "timestamp": "times"}.get(kind, "other")


def is_secret(shapes, target):
    inner = shapes[target["member"]["shape"]] if target["type"] == "list" else target
    return bool(target.get("sensitive") or inner.get("sensitive"))


def sensitive(shapes):
    """Names that are secret wherever they stand, and names that are so in some places."""
    secret, plain = set(), set()
    for shape in shapes.values():
        for name, member in shape.get("members", {}).items():
            into = secret if is_secret(shapes, shapes[member["shape"]]) else plain
            into.update((name, member.get("locationName", name)))
    return secret - plain, secret & plain


def secret_paths(shapes, shape, names, path=(), seen=()):
    """Where members of these names are secret below a shape, as dotted names."""
    if shape in seen:
        return
    target, seen = shapes[shape], (*seen, shape)
    if target["type"] == "list":
        yield from secret_paths(shapes, target["member"]["shape"], names, path, seen)
    elif target["type"] == "map":
        yield from secret_paths(shapes, target["value"]["shape"], names, path, seen)
    for name, member in target.get("members", {}).items():
        wire = member.get("locationName", name)
        if wire in names and is_secret(shapes, shapes[member["shape"]]):
            yield ".".join((*path, wire))
        else:
            yield from secret_paths(shapes, member["shape"], names, (*path, wire), seen)


def types(protocol, shapes):
    """What members hold. A name that holds different things in different places is left out, except that a name
    which is a map in most places is one."""
    kinds, items, renamed = {}, {}, set()
    for shape in shapes.values():
        for name, member in shape.get("members", {}).items():
            target = shapes[member["shape"]]
            for wire in wire_names(protocol, name, member, target):
                kinds.setdefault(wire, collections.Counter())[holds(shapes, target)] += 1
                if target["type"] == "list" and not target.get("flattened"):
                    items[wire] = target["member"].get("locationName", "member")
            location = member.get("locationName", name)
            if member.get("location") in ("uri", "querystring", "header") and location.lower() != name.lower():
                renamed.add(f"{location}={name}")
    xml = protocol in ("query", "ec2", "rest-xml")
    cells = []
    for kind in ("numbers", "booleans", "lists", "maps", "times"):
        wanted = xml or kind in ("maps", "times") or protocol == "rest-json" and kind in ("numbers", "booleans")
        names = []
        for wire, found in sorted(kinds.items()):
            most = found.most_common(1)[0][0]
            if wanted and most == kind and (len(found) == 1 or kind in ("maps", "lists")):
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


def rows():
    yield "#", "botocore " + botocore.__version__
    loader = botocore.session.Session().get_component("data_loader")
    for key in loader.list_available_services("service-2"):
        model = loader.load_service_model(key, "service-2")
        meta, shapes = model["metadata"], model["shapes"]
        protocols = [meta["protocol"], *(p for p in meta.get("protocols", []) if p != meta["protocol"])]
        signing = meta.get("signingName") or meta["endpointPrefix"]
        old = set(loader.load_service_model(key, "service-2", "2015-03-01")["operations"]) if key == "ec2" else None
        secret, in_places = sensitive(shapes)
        paths = {}
        for name, operation in model["operations"].items():
            ends = (operation[end]["shape"] for end in ("input", "output") if end in operation)
            paths[name] = ",".join(sorted({path for end in ends for path in secret_paths(shapes, end, in_places)}))
        if sum(map(len, paths.values())) > MAX_PATHS:
            secret, paths = secret | in_places, {}
        yield ("S", key, signing, meta["endpointPrefix"], ",".join(protocols), meta["apiVersion"],
               meta.get("targetPrefix", ""), ",".join(sorted(secret)))
        yield ("T", *types(meta["protocol"], shapes))
        for name, operation in sorted(model["operations"].items()):
            flags = bool(operation.get("deprecated")) * FLAGS["deprecated"]
            flags |= (old is not None and name not in old) * FLAGS["young"]
            shape_in = shapes.get(operation.get("input", {}).get("shape"), {})
            shape_out = shapes.get(operation.get("output", {}).get("shape"), {})
            flags |= streams(shapes, shape_in) * FLAGS["in"] | streams(shapes, shape_out) * FLAGS["out"]
            rest = meta["protocol"].startswith("rest")
            http = operation["http"] if rest else {"method": "", "requestUri": ""}
            cells = (http["method"], http["requestUri"], str(flags), ",".join(required(shape_in)) * rest,
                     paths.get(name, ""))
            yield ("O", name, *cells) if rest or flags or cells[-1] else ("O", name)


text = "".join("\t".join(row) + "\n" for row in rows())
path = pathlib.Path(__file__).with_name("operations.tsv.gz")
path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
print(path.name, len(text), "bytes,", path.stat().st_size, "packed")
