"""bad - helpers for tables of bad input."""

import json
from collections.abc import Iterator

UUID = "0190a5b2-7c3d-7e4f-8a6b-5c7d8e9f0a1b"


def frame(**members) -> str:
    """A valid frame to user 1 with some members changed; ... removes a member."""
    whole = {"uuid": UUID, "message": "hi", "user_to": 1} | members
    return json.dumps({name: value for name, value in whole.items() if value is not ...})


def raw(user_to: str = "1", message: str = '"hi"', uuid: str = f'"{UUID}"') -> str:
    """The same, with values given as JSON text."""
    return f'{{"uuid":{uuid},"message":{message},"user_to":{user_to}}}'


def nested(depth: int) -> str:
    """A nested object with `depth` levels, itself included."""
    return '{"a":' * (depth - 1) + "{}" + "}" * (depth - 1)


def members(count: int) -> Iterator[str]:
    return (f'"k{number}":{number}' for number in range(count))
