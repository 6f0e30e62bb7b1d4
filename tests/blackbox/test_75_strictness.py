"""The strictness of docs/protocol at every call of openapi.yaml: a new call is covered
by itself. Each request goes through nginx, and to the service itself."""

import json
import socket
from base64 import b64encode
from collections.abc import Iterator
from functools import cached_property
from urllib.parse import urlencode

import pytest

from support.api import Api, Person
from support.protocol import description, resolved
from support.stack import Stack
from support.wait import HANG_S

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
MEMBERS_MAX, LEVELS_MAX = 64, 16
Headers = list[tuple[str, str]]


class Call:
    """An operation of openapi.yaml, and a request that breaks no rule."""

    def __init__(self, path: str, method: str, item: dict, operation: dict):
        self.name = f"{method.upper()} {path}"
        self.method = method.upper()
        self.is_persistence = path.startswith(("/conversations", "/channels", "/sync", "/blocks"))
        parameters = [resolved(one) for one in
                      item.get("parameters", []) + operation.get("parameters", [])]
        self.path = path
        for one in parameters:
            if one["in"] == "path":
                self.path = self.path.replace("{" + one["name"] + "}", "1")
        self.queries = {one["name"]: "1" for one in parameters if one["in"] == "query"}
        self.has_token = operation.get("security") != []
        self.is_for_services = operation.get("security") == [{"service": []}]
        self.content = resolved(operation.get("requestBody", {})).get("content", {})

    @cached_property
    def bodies(self) -> dict[str, bytes]:
        return {kind: self.body_of(kind, said) for kind, said in self.content.items()}

    def body_of(self, kind: str, said: dict) -> bytes:
        assert "example" in said, f"openapi.yaml: {self.name} has no example of {kind}"
        example = said["example"]
        return (urlencode(example) if kind == FORM else json.dumps(example)).encode()

    def authorization(self, person: Person, stack: Stack) -> str:
        if not self.is_for_services:
            return f"Bearer {person.token}"
        return "Basic " + b64encode(f"any:{stack.secret('identity-service')}".encode()).decode()

    def headers(self, authorization: str, body: bytes | None, kind: str | None) -> Headers:
        headers = [("Host", "x"), ("Connection", "close")]
        if self.has_token:
            headers.append(("Authorization", authorization))
        if body is not None:
            headers.append(("Content-Length", str(len(body))))
            headers.append(("Content-Type", kind or JSON))
        return headers


def calls() -> Iterator[Call]:
    for path, item in description("openapi.yaml")["paths"].items():
        for method, operation in item.items():
            if method != "parameters" and path != "/readyz":
                yield Call(path, method, item, operation)


CALLS = {call.name: call for call in calls()}


def send(port: int, call: Call, headers: Headers, query: bytes = b"",
         body: bytes | None = None) -> int:
    """The status of the answer; 0 when the server hangs up without one."""
    head = f"{call.method} {call.path}".encode() + (b"?" + query if query else b"")
    head += b" HTTP/1.1\r\n" + b"".join(f"{name}: {value}\r\n".encode("latin-1")
                                        for name, value in headers)
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=HANG_S) as tcp:
        try:
            tcp.sendall(head + b"\r\n" + (body or b""))
            while piece := tcp.recv(65536):
                answer += piece
        except ConnectionError:
            pass  # a server that refuses a body may reset the connection behind its answer
    status, _, rest = answer.partition(b"\r\n")
    if b" 4" in status[:12] or b" 5" in status[:12]:
        # RFC 6749 has a form of its own for errors: application/json.
        assert b"application/problem+json" in rest or b"application/json" in rest, answer[:500]
    return int(status.split()[1]) if status.startswith(b"HTTP/1.1 ") else 0


# --- the rules ------------------------------------------------------------------------
def nested(levels: int) -> bytes:
    return b'{"a":' * (levels - 1) + b"{}" + b"}" * (levels - 1)


def members(body: bytes, total: int) -> bytes:
    """The object with further members, up to a total of members and elements."""
    def count(value) -> int:
        inner = list(value.values()) if isinstance(value, dict) else \
            value if isinstance(value, list) else []
        return len(inner) + sum(count(one) for one in inner)
    whole = json.loads(body)
    return json.dumps(whole | {f"more{number}": 1
                               for number in range(total - count(whole))}).encode()


def json_bodies(body: bytes) -> dict[str, bytes]:
    first = next(iter(json.loads(body)))
    return {
        "a member twice": body[:-1] + f',"{first}":1}}'.encode(),
        "a member twice, once escaped": body[:-1] +
            f',"\\u{ord(first[0]):04x}{first[1:]}":1}}'.encode(),
        "a member twice, deeper": body[:-1] + b',"more":[{"a":1,"a":2}]}',
        "65 members": members(body, MEMBERS_MAX + 1),
        "65 elements": body[:-1] + b',"more":[' + b",".join([b"1"] * 65) + b"]}",
        "17 levels": body[:-1] + b',"more":' + nested(LEVELS_MAX) + b"}",
        "bytes behind the object": body + b"{}",
        "a comma at the end": body[:-1] + b",}",
        "bad UTF-8": body[:-1] + b',"more":"\xff"}',
        "a surrogate as UTF-8": body[:-1] + b',"more":"\xed\xa0\x80"}',
        "an escaped NUL": body[:-1] + rb',"more":"\u0000"}',
        "a lone surrogate": body[:-1] + rb',"more":"\ud800"}',
        "a control character": body[:-1] + b',"more":"\x01"}',
        "NaN": body[:-1] + b',"more":NaN}',
        "a byte order mark": b"\xef\xbb\xbf" + body,
        "an array": b"[" + body + b"]", "null": b"null", "nothing": b"",
    }


def form_bodies(body: bytes) -> dict[str, bytes]:
    first = body.split(b"=")[0]
    return {
        "a member twice": body + b"&" + first + b"=1",
        "a member twice, once escaped": body + b"&%%%02x" % first[0] + first[1:] + b"=1",
        "another member twice": body + b"&more=1&more=1",
        "65 members": body + b"".join(b"&more%d=1" % number for number in range(MEMBERS_MAX)),
        "a bad escape": body + b"&more=%zz", "a cut escape": body + b"&more=%2",
        "bad UTF-8": body + b"&more=%ff", "an escaped NUL": body + b"&more=%00",
    }


def queries(call: Call) -> dict[str, bytes]:
    """The parameters of the call, and one that it does not know."""
    found = {}
    for name in [*call.queries, "more"]:
        found[f"{name} twice"] = f"{name}=1&{name}=1".encode()
        found[f"{name} twice, once escaped"] = f"{name}=1&%{ord(name[0]):02x}{name[1:]}=2".encode()
        for what, text in {"a bad escape": b"%zz", "bad UTF-8": b"%ff", "a NUL": b"%00",
                           "a surrogate": b"%ed%a0%80"}.items():
            found[f"{what} in {name}"] = name.encode() + b"=" + text
    found["65 parameters"] = b"&".join(b"k%d=1" % number for number in range(65))
    return found


def twice(headers: Headers, name: str, other: str | None = None) -> Headers:
    value = next((value for key, value in headers if key == name), "x")
    return [*headers, (name.lower(), other or value)]


def refusals(call: Call, authorization: str
             ) -> Iterator[tuple[str, int, Headers, bytes, bytes | None]]:
    """What, the status that it must get, headers, query, body."""
    kind, body = next(iter(call.bodies.items()), (None, None))
    plain = call.headers(authorization, body, kind)
    for what, query in queries(call).items():
        yield what, 422 if b"=%" in query else 400, plain, query, body
    for name in ("Host", *(["Authorization"] if call.has_token else []),
                 *(["Content-Type", "Content-Length"] if body else [])):
        yield f"{name} twice", 400, twice(plain, name), b"", body
    if body:
        yield "two lengths", 400, twice(plain, "Content-Length", "1"), b"", body
    some = body or b"{}"
    for coding in ("gzip", "identity", "br, gzip"):
        yield f"a body in {coding}", 415, \
            [*call.headers(authorization, some, kind), ("Content-Encoding", coding)], b"", some
    for kind, body in call.bodies.items():
        bad = form_bodies(body) if kind == FORM else json_bodies(body)
        for what, text in bad.items():
            yield f"{kind}: {what}", 400, call.headers(authorization, text, kind), b"", text


def admitted(call: Call, authorization: str) -> Iterator[tuple[str, Headers, bytes, bytes | None]]:
    """What breaks no rule, although it is unusual."""
    kind, body = next(iter(call.bodies.items()), (None, None))
    plain = call.headers(authorization, body, kind)
    yield "a plain request", plain, urlencode(call.queries).encode(), body
    yield "a list on two lines", [*plain, ("Accept", "text/html"), ("accept", JSON),
                                  ("Accept-Encoding", "gzip"), ("Accept-Encoding", "br")], b"", body
    yield "64 parameters", plain, b"&".join(b"k%d=1" % number for number in range(64)), body
    if JSON in call.bodies:
        text = members(call.bodies[JSON], MEMBERS_MAX)
        yield "64 members", call.headers(authorization, text, JSON), b"", text
    if FORM in call.bodies:
        text = call.bodies[FORM]
        text += b"".join(b"&more%d=1" % number
                         for number in range(MEMBERS_MAX - 1 - text.count(b"&")))
        yield "a form of 64 members", call.headers(authorization, text, FORM), b"", text


@pytest.fixture(scope="module")
def user_of_examples(shared_api: Api, stack: Stack) -> None:
    """The examples of openapi.yaml sign this user in."""
    stack.wait_ready()
    answer = shared_api.http.post("/auth/register", headers={"Content-Type": JSON},
                                  content=CALLS["POST /auth/register"].bodies[JSON])
    assert answer.status_code in (200, 201, 409), answer.text


@pytest.mark.usefixtures("user_of_examples")
@pytest.mark.parametrize("behind_nginx", [True, False], ids=["nginx", "service"])
@pytest.mark.parametrize("name", CALLS)
def test_every_rule_holds_at_every_call(name: str, behind_nginx: bool, stack: Stack,
                                        alice: Person):
    call = CALLS[name]
    port = stack.port("PARLEY_PORT" if behind_nginx else
                      "PERSISTENCE_PORT" if call.is_persistence else "IDENTITY_PORT")
    authorization = call.authorization(alice, stack)
    wrong = []
    for what, status, headers, query, body in refusals(call, authorization):
        got = send(port, call, headers, query, body)
        if got != status:
            wrong.append(f"{what}: {got} instead of {status}")
    assert not wrong, "\n".join(wrong)
    # Last, because a call may end the session.
    for what, headers, query, body in admitted(call, authorization):
        got = send(port, call, headers, query, body)
        assert got not in (0, 400, 413, 415, 431, 500, 501), f"{name}: {what}: {got}"
