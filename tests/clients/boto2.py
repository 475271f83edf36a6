"""boto 2.49, made to run on a Python of today."""

import importlib
import sys
import types

if sys.version_info >= (3, 12):
    # The six inside boto cannot import there any more, and the module imp is gone.
    for name in ["", ".moves", ".moves.queue", ".moves.urllib", ".moves.urllib.parse", ".moves.urllib.request"]:
        sys.modules["boto.vendored.six" + name] = importlib.import_module("six" + name)
    sys.modules["imp"] = types.ModuleType("imp")

from boto.cloudtrail.layer1 import CloudTrailConnection
from boto.regioninfo import RegionInfo


def cloudtrail(server, access_key=None, secret=None):
    """A client of CloudTrail at a URL that was split; without a key, with that of the environment."""
    client = CloudTrailConnection(
        aws_access_key_id=access_key,
        aws_secret_access_key=secret,
        host=server.hostname,
        port=server.port,
        is_secure=False,
        region=RegionInfo(name="us-east-1", endpoint=server.hostname),
    )
    # boto signs for a region and a service that it reads off the host's name, unless told.
    client.auth_region_name = "us-east-1"
    client.auth_service_name = "cloudtrail"
    return client
