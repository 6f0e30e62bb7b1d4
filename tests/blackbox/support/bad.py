"""bad - small things that tables of bad input share."""

import json
from collections.abc import Iterator

UUID = "0190a5b2-7c3d-7e4f-8a6b-5c7d8e9f0a1b"


def frame(**members) -> str:
    """A good frame to user 1, with some members changed; ... leaves one out."""
    whole = {"uuid": UUID, "message": "hi", "user_to": 1} | members
    return json.dumps({name: value for name, value in whole.items() if value is not ...})


def raw(user_to: str = "1", message: str = '"hi"', uuid: str = f'"{UUID}"') -> str:
    """The same, with JSON text for the values."""
    return f'{{"uuid":{uuid},"message":{message},"user_to":{user_to}}}'


def nested(depth: int) -> str:
    """An object that is `depth` deep, itself counted."""
    return '{"a":' * (depth - 1) + "{}" + "}" * (depth - 1)


def members(count: int) -> Iterator[str]:
    return (f'"k{number}":{number}' for number in range(count))
