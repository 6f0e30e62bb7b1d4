"""protocol - checks frames and HTTP answers against docs/protocol.

Every frame that a Socket receives and every answer that an Api gets must match its
schema in asyncapi.yaml or openapi.yaml.
"""

import json
import re
from functools import cache

import httpx
import yaml
from jsonschema import Draft7Validator, Draft202012Validator

from support.stack import ROOT

FOLDER = ROOT / "docs" / "protocol"
# Frame types -> messages of asyncapi.yaml.
MESSAGES = {"welcome": "welcome", "message": "message", "member": "member", "edit": "changed",
            "delete": "changed", "reaction": "changed", "receipt": "receipt",
            "typing": "typing", "presence": "presence", "error": "error",
            "auth": "authenticated", "token": "tokenEnds"}
STATES = {"accepted": "accepted", "error": "refused"}


class ProtocolMismatch(AssertionError):
    pass


@cache
def description(name: str) -> dict:
    return yaml.safe_load((FOLDER / name).read_text("utf-8"))


def complain(what: str, text: str, errors) -> None:
    faults = [f"{error.json_path}: {error.message[:200]}" for error in errors]
    if faults:
        raise ProtocolMismatch(f"{what} differs from docs/protocol: {'; '.join(faults)}\n"
                             f"{text[:1000]}")


# --- frames -----------------------------------------------------------------------
@cache
def frame_validator(message: str) -> Draft7Validator:
    api = description("asyncapi.yaml")
    payload = api["components"]["messages"][message]["payload"]
    return Draft7Validator({"components": api["components"], "allOf": [payload]},
                           format_checker=Draft7Validator.FORMAT_CHECKER)


def message_of(frame: dict) -> str | None:
    if frame.get("type") != "state":
        return MESSAGES.get(frame.get("type"))
    if frame.get("state") == "saved":
        return "saved" if "id" in frame else "changeSaved"
    return STATES.get(frame.get("state"))


def check_frame(frame: dict, text: str) -> None:
    message = message_of(frame)
    if not message:
        raise ProtocolMismatch(f"a frame of unknown kind: {text[:1000]}")
    complain(f"the frame {message}", text, frame_validator(message).iter_errors(frame))


# --- answers ------------------------------------------------------------------------
@cache
def routes() -> list[tuple[str, re.Pattern, dict]]:
    found = []
    for path, item in description("openapi.yaml")["paths"].items():
        # A segment that is not a number takes the same route, which refuses it.
        pattern = re.compile(re.sub(r"\{\w+\}", "[^/?]+", path))
        found += [(method.upper(), pattern, operation) for method, operation in item.items()
                  if method != "parameters"]
    return found


def operation_of(request: httpx.Request) -> dict | None:
    for method, pattern, operation in routes():
        if request.method == method and pattern.fullmatch(request.url.path):
            return operation
    return None


def resolved(node: dict) -> dict:
    while "$ref" in node:
        place = description("openapi.yaml")
        for step in node["$ref"].removeprefix("#/").split("/"):
            place = place[step]
        node = place
    return node


@cache
def answer_validator(schema: str) -> Draft202012Validator:
    components = description("openapi.yaml")["components"]
    return Draft202012Validator({"components": components} | json.loads(schema),
                                format_checker=Draft202012Validator.FORMAT_CHECKER)


def check_answer(answer: httpx.Response) -> None:
    """For httpx's event hooks. An error that the description does not list may be nginx's."""
    operation = operation_of(answer.request)
    said = (operation or {}).get("responses", {}).get(str(answer.status_code))
    if said is None:
        if operation and answer.status_code < 400:
            raise ProtocolMismatch(f"{answer.request.method} {answer.request.url.path}: "
                                 f"docs/protocol has no {answer.status_code}")
        return
    answer.read()
    check_body(answer, resolved(said).get("content", {}))


def check_body(answer: httpx.Response, content: dict) -> None:
    what = f"{answer.request.method} {answer.request.url.path}: {answer.status_code}"
    kind = answer.headers.get("Content-Type", "").split(";")[0]
    if not content:
        if answer.content:
            raise ProtocolMismatch(f"{what} has a body: {answer.text[:300]}")
        return
    if kind not in content:
        raise ProtocolMismatch(f"{what} has the type {kind or 'none'}: {answer.text[:300]}")
    validator = answer_validator(json.dumps(content[kind]["schema"]))
    complain(what, answer.text, validator.iter_errors(answer.json()))
