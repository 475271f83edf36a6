"""What the trials in Python share."""

from botocore.exceptions import ClientError


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
