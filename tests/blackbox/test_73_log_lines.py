"""Every line of every log is one JSON object in UTF-8, whatever bytes a client sends."""

import itertools
import json
import secrets
import socket

import httpx
import pytest

from support.api import Api, Person
from support.raw import TEXT, close_frame, frame, open_raw
from support.stack import SERVICES, Stack
from support.wait import HANG_S, until

# What stands in the log format of nginx, and what a service could log.
PLACES = {
    "method": b"GE%sT /auth/status HTTP/1.1\r\nHost: x\r\n",
    "path": b"GET /auth/caf%s HTTP/1.1\r\nHost: x\r\n",
    "path of a conversation": b"GET /conversations/%s/messages HTTP/1.1\r\nHost: x\r\n",
    "query": b"GET /auth/users?name=%s HTTP/1.1\r\nHost: x\r\n",
    "query of a page": b"GET /conversations?limit=%s HTTP/1.1\r\nHost: x\r\n",
    "version": b"GET /auth/status HTTP/1.1%s\r\nHost: x\r\n",
    "host": b"GET /auth/status HTTP/1.1\r\nHost: x%s\r\n",
    "name of a header": b"GET /auth/status HTTP/1.1\r\nHost: x\r\nX-%s: y\r\n",
    "upgrade": b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: %s\r\n",
    "key of an upgrade": b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
                         b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                         b"Sec-WebSocket-Key: %s\r\n",
}
PLACES |= {name: b"GET /auth/status HTTP/1.1\r\nHost: x\r\n" + name.encode() + b": %s\r\n"
           for name in ("User-Agent", "Referer", "Authorization", "Content-Type", "Origin",
                        "Content-Length", "Transfer-Encoding", "Connection", "Cookie",
                        "X-Forwarded-For", "X-Request-ID", "Sec-WebSocket-Protocol")}
BYTES = {
    "Latin-1": b"\xe9", "a byte that never occurs": b"\xff", "a cut character": b"\xf0\x9f",
    "an overlong slash": b"\xc0\xaf", "a lone surrogate": b"\xed\xa0\x80",
    "above U+10FFFF": b"\xf4\x90\x80\x80", "C1": b"\x85", "UTF-8": "é 🎉".encode(),
    "a line separator": "\u2028".encode(), "a quotation mark": b'"', "a backslash": b"\\",
    "the end of a line": b'"}{"', "an escape": rb"\ud800", "a control character": b"\x01",
    "a tab": b"\t", "a carriage return": b"\r", "DEL": b"\x7f", "NUL": b"\0",
    "an escaped byte": b"%e9", "3,000 letters": b"x" * 3000, "3,000 odd bytes": b"\xe9" * 3000,
}


def send(port: int, head: bytes) -> None:
    """Sends one request and reads until the server hangs up, or has answered."""
    with socket.create_connection(("127.0.0.1", port), timeout=HANG_S) as tcp:
        try:
            tcp.sendall(head + b"Connection: close\r\n\r\n")
            tcp.shutdown(socket.SHUT_WR)
            while tcp.recv(65536):
                pass
        except ConnectionError:
            pass


def sizes(stack: Stack) -> dict:
    return {path: path.stat().st_size for path in stack.log_files()}


def new_lines(stack: Stack, before: dict) -> list[tuple[str, bytes]]:
    """What the logs of nginx and of the services got since `before`."""
    names = ("nginx-access.log", *(f"{name}.log" for name in SERVICES))
    found = []
    for name in names:
        path = stack.run_dir / "log" / name
        new = path.read_bytes()[before.get(path, 0):]
        # Another test may just be writing the last line.
        found += [(name, line) for line in new.split(b"\n")[:-1]]
    return found


def fault_of(line: bytes) -> str | None:
    try:
        value = json.loads(line.decode("utf-8"))
    except ValueError as error:
        return str(error)
    return None if isinstance(value, dict) else "it is no object"


def check_lines(stack: Stack, before: dict) -> None:
    """nginx writes its log a second late: a last request shows that its worker has."""
    marker = f"/marker-{secrets.token_hex(8)}"
    assert httpx.get(stack.url + marker, trust_env=False).status_code == 404
    until("the log of nginx has the marker", lambda: any(
        marker.encode() in line for _, line in new_lines(stack, before)))
    bad = [f"{name}: {fault_of(line)}: {line[:200]!r}" for name, line in new_lines(stack, before)
           if fault_of(line)]
    assert not bad, "\n".join(bad[:20])


@pytest.mark.parametrize("target", ["PARLEY_PORT", "IDENTITY_PORT", "WEBSOCKET_PORT",
                                    "PERSISTENCE_PORT"])
def test_every_line_is_json_whatever_the_request(target: str, stack: Stack, api: Api):
    before = sizes(stack)
    for head, odd in itertools.product(PLACES.values(), BYTES.values()):
        send(stack.port(target), head.replace(b"%s", odd, 1))
    check_lines(stack, before)


def test_every_line_is_json_whatever_the_frame(stack: Stack, api: Api, alice: Person,
                                               bob: Person):
    before = sizes(stack)
    for odd in BYTES.values():
        for payload in (odd, b'{"type":"%s"}' % odd, b'{"uuid":"%s"}' % odd,
                        b'{"type":"react","reaction":"%s"}' % odd):
            for data in (frame(TEXT, payload), close_frame(1000, odd[:100])):
                with open_raw(stack.ws_url, alice.token) as raw:
                    raw.send(data + close_frame(1000))
                    raw.wait_end()
    check_lines(stack, before)


def test_the_log_names_the_path_up_to_its_first_odd_byte(stack: Stack, api: Api):
    before = sizes(stack)
    start = f"/auth/caf-{secrets.token_hex(8)}"
    send(stack.port("PARLEY_PORT"), b"GET %s\xe9/secret HTTP/1.1\r\nHost: x\r\n" % start.encode())
    line = json.loads(until("the log of nginx has the request", lambda: next(
        (line for name, line in new_lines(stack, before) if start.encode() in line), None)))
    assert (line["path"], line["status"]) == (start, 400)


@pytest.mark.prove
@pytest.mark.slow
def test_the_log_of_requests_is_bounded():
    """Clients decide how many lines nginx writes; MariaDB and Kafka share its disk."""
    stack = Stack("log-limit", {"PARLEY_LOG_LIMIT_MB": "1"})
    log = stack.run_dir / "log" / "nginx-access.log"
    try:
        stack.up()
        with httpx.Client(base_url=stack.url, trust_env=False, timeout=HANG_S) as http:
            def rotated() -> bool:
                for _ in range(100):
                    assert http.get("/" + "x" * 1500).status_code == 404
                return (log.parent / "nginx-access.log.1").exists()

            until("the log is rotated", rotated)
            assert http.get("/behind-the-rotation").status_code == 404
            until("nginx writes on", lambda: log.exists() and
                  "/behind-the-rotation" in log.read_text())
        # Of two files the older one is at the limit, and a little more.
        assert (log.parent / "nginx-access.log.1").stat().st_size >= 1 << 20
        assert log.stat().st_size < 1 << 20
    finally:
        stack.down()
