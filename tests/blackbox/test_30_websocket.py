"""RFC 6455 at byte level: a violation closes the socket with the right code."""

import base64
import hashlib
import json
import struct

import pytest

from support.api import Api, Person
from support.bad import UUID
from support.raw import (BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, RawSocket, close_frame,
                         frame, open_raw)
from support.stack import Stack

CAP = 64 * 1024
OPEN = frame(TEXT, b"{", fin=False)

# description -> (bytes, close code)
ABUSES = {
    # 1002: protocol errors
    **{f"reserved opcode {op:#x}": (frame(op, b"x"), 1002)
       for op in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)},
    **{f"reserved bits {rsv:03b}": (frame(TEXT, b"{}", rsv=rsv), 1002)
       for rsv in (1, 2, 4, 7)},
    "reserved bit in a ping": (frame(PING, b"x", rsv=4), 1002),
    "reserved bit in a continuation": (OPEN + frame(CONTINUATION, b"}", rsv=4), 1002),
    "a fragmented ping": (frame(PING, b"x", fin=False), 1002),
    "a fragmented pong": (frame(PONG, b"x", fin=False), 1002),
    "a fragmented close": (frame(CLOSE, b"\x03\xe8", fin=False), 1002),
    "a ping of 126 bytes": (frame(PING, b"x" * 126), 1002),
    "a pong of 126 bytes": (frame(PONG, b"x" * 126), 1002),
    "a close of 126 bytes": (frame(CLOSE, b"\x03\xe8" + b"x" * 124), 1002),
    "a ping of 70000 bytes": (frame(PING, b"x" * 70000), 1002),
    "a stray continuation": (frame(CONTINUATION, b"x"), 1002),
    "a stray unfinished continuation": (frame(CONTINUATION, b"x", fin=False), 1002),
    "a continuation after the end": (
        OPEN + frame(CONTINUATION, b"}") + frame(CONTINUATION, b"x"), 1002),
    "a new text inside a fragmented one": (OPEN + frame(TEXT, b"{}"), 1002),
    "a binary inside a fragmented text": (OPEN + frame(BINARY, b"{}"), 1002),
    "a close with one byte": (frame(CLOSE, b"\x03"), 1002),
    **{f"close code {code}": (close_frame(code), 1002)
       for code in (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)},
    "5 bytes with a 16-bit length": (frame(TEXT, b"hello", length_bytes=2), 1002),
    "125 bytes with a 16-bit length": (frame(TEXT, b"x" * 125, length_bytes=2), 1002),
    "5 bytes with a 64-bit length": (frame(TEXT, b"hello", length_bytes=8), 1002),
    "65535 bytes with a 64-bit length": (frame(TEXT, b"x" * 65535, length_bytes=8), 1002),
    "a 64-bit length with its top bit": (
        frame(TEXT, b"", length_bytes=8, claimed=1 << 63), 1002),
    "the largest 64-bit length": (frame(TEXT, b"", length_bytes=8, claimed=2 ** 64 - 1), 1002),
    "an unmasked text": (frame(TEXT, b"{}", mask=False), 1002),
    "an unmasked ping": (frame(PING, b"x", mask=False), 1002),
    "an unmasked close": (frame(CLOSE, b"\x03\xe8", mask=False), 1002),
    # 1003: unsupported data
    "a binary message": (frame(BINARY, b"{}"), 1003),
    "an empty binary message": (frame(BINARY), 1003),
    "a fragmented binary message": (frame(BINARY, b"{", fin=False), 1003),
    # 1007: not UTF-8
    "a lone continuation byte": (frame(TEXT, b"\x80"), 1007),
    "0xff": (frame(TEXT, b'{"a":"\xff"}'), 1007),
    "an overlong slash": (frame(TEXT, b"\xc0\xaf"), 1007),
    "an overlong NUL": (frame(TEXT, b"\xe0\x80\x80"), 1007),
    "a surrogate": (frame(TEXT, b"\xed\xa0\x80"), 1007),
    "beyond the last code point": (frame(TEXT, b"\xf4\x90\x80\x80"), 1007),
    "a text that ends in a character": (frame(TEXT, b"abc\xe2\x82"), 1007),
    "a character that is cut by a fragment and broken": (
        frame(TEXT, b"\xe2\x82", fin=False) + frame(CONTINUATION, b"z"), 1007),
    "a character never finished": (
        frame(TEXT, b"\xe2", fin=False) + frame(CONTINUATION, b"\x82"), 1007),
    "bad bytes in the middle fragment, at once": (
        frame(TEXT, b"ok", fin=False) + frame(CONTINUATION, b"\xff", fin=False), 1007),
    "a close reason that is not UTF-8": (close_frame(1000, b"\xff\xfe"), 1007),
    # 1009: messages that are too big
    "64 KiB and a byte": (frame(TEXT, b"x" * (CAP + 1)), 1009),
    "only a head that says 64 KiB and a byte": (
        frame(TEXT, b"", length_bytes=8, claimed=CAP + 1), 1009),
    "only a head that says a tebibyte": (frame(TEXT, b"", length_bytes=8, claimed=1 << 40),
                                         1009),
    "65 fragments of a KiB": (
        frame(TEXT, b"x" * 1024, fin=False) +
        frame(CONTINUATION, b"x" * 1024, fin=False) * 64, 1009),
    "fragments of a byte, one too many": (
        frame(TEXT, b"x" * CAP, fin=False) + frame(CONTINUATION, b"x"), 1009),
}


@pytest.fixture(scope="module")
def person(stack: Stack, shared_api: Api) -> Person:
    stack.wait_ready()
    return shared_api.register()


@pytest.mark.parametrize("data, code", ABUSES.values(), ids=ABUSES.keys())
def test_a_protocol_violation_gets_its_close_code(data: bytes, code: int, stack: Stack,
                                                  person: Person):
    with open_raw(stack.ws_url, person.token) as raw:
        try:
            raw.send(data)
        except ConnectionError:
            pass  # the server closed before we had sent everything
        assert raw.close_code() == code


@pytest.mark.parametrize("name", ["reserved opcode 0x3", "0xff", "close code 999"])
def test_a_violation_sent_in_single_bytes_gets_the_same_code(name: str, stack: Stack,
                                                             person: Person):
    data, code = ABUSES[name]
    with open_raw(stack.ws_url, person.token) as raw:
        try:
            for byte in data:
                raw.send(bytes([byte]))
        except ConnectionError:
            pass  # the server closed before we had sent everything
        assert raw.close_code() == code


# --- unusual but valid frames ---------------------------------------------------
def refusal(raw: RawSocket) -> str:
    return json.loads(raw.next(TEXT))["code"]


def test_the_accept_key_is_right(stack: Stack, person: Person):
    key = base64.b64encode(b"0123456789abcdef").decode()
    with RawSocket(stack.ws_url) as raw:
        answer = raw.upgrade(person.token, Sec_WebSocket_Key=key)
    digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
    assert answer.status == 101
    assert answer.headers["sec-websocket-accept"] == base64.b64encode(digest).decode()
    assert "sec-websocket-extensions" not in answer.headers


def test_extensions_are_not_negotiated(stack: Stack, person: Person):
    with RawSocket(stack.ws_url) as raw:
        answer = raw.upgrade(person.token,
                             Sec_WebSocket_Extensions="permessage-deflate; client_max_window_bits")
        assert answer.status == 101
        assert "sec-websocket-extensions" not in answer.headers


def test_a_ping_between_fragments_is_answered_at_once(stack: Stack, person: Person):
    with open_raw(stack.ws_url, person.token) as raw:
        raw.send(OPEN + frame(PING, b"are you there"))
        assert raw.next(PONG) == b"are you there"
        raw.send(frame(CONTINUATION, b"}"))
        assert refusal(raw) == "bad_uuid"


@pytest.mark.parametrize("payload", [b"", b"x" * 125, bytes(range(125))],
                         ids=["empty", "longest", "any bytes"])
def test_a_pong_has_the_bytes_of_the_ping(payload: bytes, stack: Stack, person: Person):
    with open_raw(stack.ws_url, person.token) as raw:
        raw.send(frame(PING, payload))
        assert raw.next(PONG) == payload


def test_an_unsolicited_pong_is_ignored(stack: Stack, person: Person):
    with open_raw(stack.ws_url, person.token) as raw:
        raw.send(frame(PONG, b"hello") + frame(PING, b"next"))
        assert raw.receive() == (PONG, b"next")


def test_empty_fragments_are_ignored(stack: Stack, person: Person):
    with open_raw(stack.ws_url, person.token) as raw:
        raw.send(frame(TEXT, b"", fin=False) + frame(CONTINUATION, b"", fin=False) +
                 frame(CONTINUATION, b"{}", fin=False) + frame(CONTINUATION, b""))
        assert refusal(raw) == "bad_uuid"


def test_fragments_of_one_byte_make_a_message(stack: Stack, person: Person):
    text = json.dumps({"uuid": UUID, "message": "Zoë 🎉", "user_to": person.id},
                      ensure_ascii=False).encode()
    with open_raw(stack.ws_url, person.token) as raw:
        pieces = [frame(TEXT if at == 0 else CONTINUATION, text[at:at + 1],
                        fin=at == len(text) - 1) for at in range(len(text))]
        raw.send(b"".join(pieces))
        while True:
            state = json.loads(raw.next(TEXT))
            if state.get("state") == "saved":
                break
        assert state["uuid"] == UUID


def long_text(size: int) -> bytes:
    """A frame of `size` bytes whose text is too long."""
    head = json.dumps({"uuid": UUID, "user_to": 1})[:-1] + ', "message": "'
    return (head + "x" * (size - len(head) - 2) + '"}').encode()


def test_a_message_of_64_kib_is_read(stack: Stack, person: Person):
    with open_raw(stack.ws_url, person.token) as raw:
        raw.send(frame(TEXT, long_text(CAP)))
        assert refusal(raw) == "message_too_long"


def test_a_fragmented_message_of_64_kib_is_read(stack: Stack, person: Person):
    text = long_text(CAP)
    with open_raw(stack.ws_url, person.token) as raw:
        raw.send(frame(TEXT, text[:40000], fin=False) + frame(CONTINUATION, text[40000:]))
        assert refusal(raw) == "message_too_long"


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000,
                                  3999, 4000, 4999])
def test_a_valid_close_is_answered(code: int, stack: Stack, person: Person):
    with open_raw(stack.ws_url, person.token) as raw:
        raw.send(close_frame(code, "tschüß".encode()))
        assert raw.close_code() in (code, 1000)


def test_a_close_without_a_code_is_answered(stack: Stack, person: Person):
    with open_raw(stack.ws_url, person.token) as raw:
        raw.send(frame(CLOSE))
        assert raw.close_code() in (1000, 1005)


def test_bytes_after_a_close_are_ignored(stack: Stack, person: Person):
    with open_raw(stack.ws_url, person.token) as raw:
        raw.send(close_frame(1000) + frame(TEXT, b"{}"))
        op, payload = raw.receive()
        assert op == CLOSE
        assert struct.unpack(">H", payload[:2]) == (1000,)


def test_a_frame_sent_with_the_handshake_is_read(stack: Stack, person: Person):
    """The client sends it before it reads the upgrade answer: the gateway must not lose it."""
    with RawSocket(stack.ws_url) as raw:
        key = base64.b64encode(b"0123456789abcdef").decode()
        raw.send((f"GET /ws HTTP/1.1\r\nHost: {raw.host}\r\nConnection: Upgrade\r\n"
                  f"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                  f"Sec-WebSocket-Key: {key}\r\nAuthorization: Bearer {person.token}\r\n"
                  "\r\n").encode() + frame(PING, b"early"))
        assert raw.answer().status == 101
        assert raw.next(PONG) == b"early"


# --- invalid handshakes -------------------------------------------------------
HANDSHAKES = {
    "no Upgrade": ({"Upgrade": ""}, 426),
    "Upgrade h2c": ({"Upgrade": "h2c", "Connection": "Upgrade, HTTP2-Settings",
                     "HTTP2_Settings": "AAMAAABkAARAAAAAAAIAAAAA"}, 426),
    "Upgrade websocket, h2c": ({"Upgrade": "websocket, h2c"}, 426),
    "Upgrade h2c, websocket": ({"Upgrade": "h2c, websocket"}, 426),
    "Upgrade TLS/1.0": ({"Upgrade": "TLS/1.0"}, 426),
    "version 12": ({"Sec_WebSocket_Version": "12"}, 426),
    "no version": ({"Sec_WebSocket_Version": ""}, 426),
    "no key": ({"Sec_WebSocket_Key": ""}, 400),
    "a short key": ({"Sec_WebSocket_Key": "AAAA"}, 400),
    "a key that is not base64": ({"Sec_WebSocket_Key": "!" * 24}, 400),
}


@pytest.mark.parametrize("headers, status", HANDSHAKES.values(), ids=HANDSHAKES.keys())
def test_a_bad_handshake_is_refused(headers, status: int, stack: Stack, person: Person):
    with RawSocket(stack.ws_url) as raw:
        answer = raw.upgrade(person.token, **headers)
    assert answer.status == status
    problem = json.loads(answer.body)
    assert problem["status"] == status
    assert answer.headers["content-type"].startswith("application/problem+json")
    if status == 426:
        assert answer.headers["upgrade"].lower() == "websocket"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_only_get_requests_upgrade(method: str, stack: Stack, person: Person):
    with RawSocket(stack.ws_url) as raw:
        answer = raw.request({"Connection": "Upgrade", "Upgrade": "websocket",
                              "Sec-WebSocket-Version": "13", "Content-Length": "0",
                              "Sec-WebSocket-Key": base64.b64encode(b"x" * 16).decode(),
                              "Authorization": f"Bearer {person.token}"}, method=method)
    assert answer.status == 405
    assert answer.headers["allow"]
