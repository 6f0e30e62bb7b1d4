"""raw - a WebSocket client that writes single bytes, for input that no library sends."""

import base64
import os
import socket
import struct
from dataclasses import dataclass
from urllib.parse import urlsplit

from support.wait import HANG_S

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
MASK = b"\x37\xfa\x21\x3d"


def masked(payload: bytes, mask: bytes = MASK) -> bytes:
    repeated = (mask * (len(payload) // 4 + 1))[:len(payload)]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(
        len(payload), "big")


def frame(op: int, payload: bytes = b"", fin: bool = True, rsv: int = 0, mask: bool = True,
          length_bytes: int | None = None, claimed: int | None = None) -> bytes:
    """One client frame. length_bytes 0, 2 or 8 overrides the shortest length form."""
    length = len(payload) if claimed is None else claimed
    if length_bytes is None:
        length_bytes = 0 if length < 126 else 2 if length < 65536 else 8
    short = length if length_bytes == 0 else 126 if length_bytes == 2 else 127
    head = bytes([fin << 7 | rsv << 4 | op, mask << 7 | short])
    head += {0: b"", 2: struct.pack(">H", length & 0xffff),
             8: struct.pack(">Q", length)}[length_bytes]
    return head + (MASK + masked(payload) if mask else payload)


def close_frame(code: int, reason: bytes = b"") -> bytes:
    return frame(CLOSE, struct.pack(">H", code) + reason)


@dataclass
class Answer:
    status: int
    headers: dict[str, str]  # names in lower case
    body: bytes


class RawSocket:
    def __init__(self, url: str, timeout_s: float = HANG_S, receive_bytes: int = 0):
        """receive_bytes: size of our kernel buffer; a small one makes the server's queue fill."""
        parts = urlsplit(url)
        self.host, self.path = parts.netloc, parts.path or "/"
        self.tcp = socket.socket()
        if receive_bytes:  # before the connection: it decides the window
            self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.tcp.settimeout(timeout_s)
        self.tcp.connect((parts.hostname, parts.port))
        self.tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    # --- HTTP ---------------------------------------------------------------
    def request(self, headers: dict[str, str], method: str = "GET") -> Answer:
        self.send_request(headers, method)
        return self.answer()

    def send_request(self, headers: dict[str, str], method: str = "GET") -> None:
        lines = [f"{method} {self.path} HTTP/1.1", f"Host: {self.host}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.send("\r\n".join(lines + ["", ""]).encode("latin-1"))

    def upgrade(self, token: str | None = None, **extra: str) -> Answer:
        self.send_upgrade(token, **extra)
        return self.answer()

    def send_upgrade(self, token: str | None = None, **extra: str) -> None:
        headers = {"Connection": "Upgrade", "Upgrade": "websocket",
                   "Sec-WebSocket-Version": "13",
                   "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode()}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        headers |= {name.replace("_", "-"): value for name, value in extra.items()}
        self.send_request({name: value for name, value in headers.items() if value != ""})

    def answer(self) -> Answer:
        while b"\r\n\r\n" not in self.buffer:
            self.fill()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        first, *lines = head.decode("latin-1").split("\r\n")
        assert first.startswith("HTTP/1.1 "), first
        headers = {name.lower(): value.strip() for name, _, value in
                   (line.partition(":") for line in lines)}
        status, body = int(first.split()[1]), b""
        if status != 101:
            length = int(headers.get("content-length", "0"))
            while len(self.buffer) < length:
                self.fill()
            body, self.buffer = self.buffer[:length], self.buffer[length:]
        return Answer(status, headers, body)

    # --- frames ---------------------------------------------------------------
    def send(self, data: bytes) -> None:
        self.tcp.sendall(data)

    def fill(self) -> None:
        data = self.tcp.recv(65536)
        if not data:
            raise EOFError("the server closed the connection")
        self.buffer += data

    def take(self, count: int) -> bytes:
        while len(self.buffer) < count:
            self.fill()
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def receive(self) -> tuple[int, bytes]:
        """Opcode and payload of the server's next frame."""
        first, second = self.take(2)
        assert first & 0x80, "the server sent a fragment"
        assert not first & 0x70, "the server set a reserved bit"
        assert not second & 0x80, "the server masked a frame"
        length = second
        if second == 126:
            length, = struct.unpack(">H", self.take(2))
        elif second == 127:
            length, = struct.unpack(">Q", self.take(8))
        return first & 15, self.take(length)

    def next(self, op: int) -> bytes:
        """Payload of the next frame with this opcode; skips other frames."""
        while True:
            got, payload = self.receive()
            if got == op:
                return payload
            assert got != CLOSE, f"closed: {payload!r}"

    def close_code(self) -> int:
        """Waits for the server's close frame, answers it, and waits for the end of TCP."""
        while True:
            op, payload = self.receive()
            if op == CLOSE:
                break
        code = struct.unpack(">H", payload[:2])[0] if payload else 1005
        payload[2:].decode("utf-8")
        try:
            self.send(close_frame(code if code != 1005 else 1000))
        except OSError:
            pass
        self.wait_end()
        return code

    def wait_end(self) -> None:
        try:
            while self.tcp.recv(65536):
                pass
        except ConnectionError:
            pass  # a reset is an end too

    def __enter__(self) -> "RawSocket":
        return self

    def __exit__(self, *_) -> None:
        self.tcp.close()


def open_raw(url: str, token: str) -> RawSocket:
    """An upgraded socket whose welcome has been read."""
    raw = RawSocket(url)
    answer = raw.upgrade(token)
    assert answer.status == 101, answer
    assert b'"welcome"' in raw.next(TEXT)
    return raw
