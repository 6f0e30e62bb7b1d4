"""steps - the steps of a case and its expectations."""

from collections.abc import Sequence
from dataclasses import dataclass

from support.raw import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT

NORMAL, PROTOCOL_ERROR, UNSUPPORTED, BAD_DATA, TOO_BIG = 1000, 1002, 1003, 1007, 1009


# --- steps ------------------------------------------------------------------------
@dataclass(frozen=True)
class Send:
    """One frame. `chop` bytes per write; 0: in one write, together with other frames.
    `alone`: in a write of its own."""
    op: int
    payload: bytes = b""
    fin: bool = True
    rsv: int = 0
    chop: int = 0
    alone: bool = False


@dataclass(frozen=True)
class Raw:
    """Part of a frame, in a write of its own."""
    data: bytes


@dataclass(frozen=True)
class Settled:
    """Continues after the first reply."""


@dataclass(frozen=True)
class Alive:
    """The server must not have closed at this point."""


Step = Send | Raw | Settled | Alive


def text(payload: bytes, **more) -> Send:
    return Send(TEXT, payload, **more)


def more(payload: bytes, **options) -> Send:
    return Send(CONTINUATION, payload, **options)


def binary(payload: bytes, **options) -> Send:
    return Send(BINARY, payload, **options)


def ping(payload: bytes = b"", **options) -> Send:
    return Send(PING, payload, **options)


def pong(payload: bytes = b"", **options) -> Send:
    return Send(PONG, payload, **options)


def close(code: int | None = None, reason: bytes = b"", **options) -> Send:
    head = b"" if code is None else code.to_bytes(2, "big")
    return Send(CLOSE, head + reason, **options)


def fragments(payload: bytes, size: int, op: int = TEXT) -> list[Send]:
    """A message in frames of `size` bytes; the last one may be shorter."""
    pieces = [payload[at:at + size] for at in range(0, len(payload), size)] or [b""]
    return [Send(op if at == 0 else CONTINUATION, piece, fin=at == len(pieces) - 1)
            for at, piece in enumerate(pieces)]


# --- expectations -------------------------------------------------------------------
@dataclass(frozen=True)
class Pong:
    payload: bytes = b""


@dataclass(frozen=True)
class Echo:
    """The case's message comes back; README.md says in which form."""


@dataclass(frozen=True)
class Case:
    """`replies` is what the server says before the end, in this order. The end is
    ours (`by_server` False: we close with 1000, if the case did not send a close)
    or the server's. Its close code is one of `codes`."""
    number: str
    what: str
    steps: tuple[Step, ...]
    replies: tuple[Echo | Pong, ...] = ()
    codes: tuple[int, ...] = (NORMAL,)
    by_server: bool = False
    lenient: tuple[Echo | Pong, ...] | None = None  # replies that are NON-STRICT
    fail_fast: tuple[Step, ...] = ()  # sent only if the server has not closed yet
    rounds: int = 1  # of steps and replies
    differs: str = ""  # why this is not what Autobahn wants


def echoed(number: str, what: str, *steps: Step, replies: Sequence = (Echo(),), **options) -> Case:
    return Case(number, what, steps, tuple(replies), **options)


def failed(number: str, what: str, *steps: Step, code: int = PROTOCOL_ERROR, **options) -> Case:
    return Case(number, what, steps, codes=(code,), by_server=True, **options)
