"""peer - plays a case against the gateway and records the events."""

import json
import struct
from collections.abc import Callable, Iterable, Iterator

from support.raw import CLOSE, PONG, TEXT, RawSocket, close_frame, frame, open_raw

from steps import NORMAL, Alive, Raw, Send, Settled, Step

PATIENCE_S = 60  # a bound on hanging
WRITE_BYTES = 1 << 20  # of a write that has many frames, about
ALIVE_S = 0.2  # how long a server that fails would take at most to say so


class Peer:
    """`events` are the received events in order: ("pong", bytes), ("text", dict),
    ("close", code or None), ("end",); ("silence",) when the server hangs."""

    def __init__(self, url: str, token: str):
        self.raw: RawSocket = open_raw(url, token)
        self.raw.tcp.settimeout(PATIENCE_S)
        self.events: list[tuple] = []
        self.close_sent = False
        self.sent_after_close = False

    def __enter__(self) -> "Peer":
        return self

    def __exit__(self, *_) -> None:
        self.raw.tcp.close()

    # --- out ----------------------------------------------------------------
    def play(self, steps: Iterable[Step]) -> None:
        """A server that has closed ignores further bytes."""
        try:
            for write in self.writes(steps):
                self.raw.send(write)
        except ConnectionError:
            pass

    def writes(self, steps: Iterable[Step]) -> Iterator[bytes]:
        waiting = bytearray()
        for step in steps:
            if isinstance(step, Send) and not step.chop and not step.alone:
                waiting += encode(step)
                if len(waiting) >= WRITE_BYTES:
                    yield waiting
                    waiting = bytearray()
                continue
            if waiting:
                yield waiting
                waiting = bytearray()
            if isinstance(step, Send):
                data = encode(step)
                size = step.chop or len(data)
                yield from (data[at:at + size] for at in range(0, len(data), size))
            elif isinstance(step, Raw):
                yield step.data
            elif isinstance(step, Settled):
                self.take()
            elif isinstance(step, Alive):
                self.listen(ALIVE_S)
        if waiting:
            yield waiting

    def close(self, code: int = NORMAL) -> None:
        try:
            self.raw.send(close_frame(code))
        except ConnectionError:
            pass

    # --- in -----------------------------------------------------------------
    def ended(self) -> bool:
        return bool(self.events) and self.events[-1][0] in ("end", "silence")

    def take(self) -> tuple:
        """The next event; pings are skipped."""
        while not self.ended():
            try:
                op, payload = self.raw.receive()
            except (EOFError, ConnectionError):
                self.events.append(("end",))
                break
            except TimeoutError:
                self.events.append(("silence",))
                break
            if op == PONG:
                self.events.append(("pong", payload))
            elif op == TEXT:
                self.events.append(("text", json.loads(payload)))
            elif op == CLOSE:
                code = struct.unpack(">H", payload[:2])[0] if payload else None
                payload[2:].decode("utf-8")
                self.events.append(("close", code))
            else:
                continue
            break
        return self.events[-1]

    def take_until(self, enough: Callable[[], bool]) -> None:
        while not enough() and not self.ended():
            self.take()

    def take_to_end(self) -> None:
        while not self.ended():
            self.take()

    def listen(self, seconds: float) -> None:
        """Takes an event if one arrives within `seconds`."""
        if self.raw.buffer:
            self.take()
            return
        self.raw.tcp.settimeout(seconds)
        try:
            self.raw.fill()
        except TimeoutError:
            pass
        except (EOFError, ConnectionError):
            self.events.append(("end",))
        finally:
            self.raw.tcp.settimeout(PATIENCE_S)
        if self.raw.buffer:
            self.take()


def encode(step: Send) -> bytes:
    return frame(step.op, step.payload, fin=step.fin, rsv=step.rsv)
