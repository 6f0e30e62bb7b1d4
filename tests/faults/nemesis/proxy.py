"""proxy - TCP links that can be made bad while they are in use.

As a program it reads lines of JSON from stdin and answers each on stdout:

    {"open": {"NAME": [port to listen on, port to reach, address to listen on], ...}}
    {"link": "NAME", "toxics": {...}}       the members of Toxics; {} is healthy

Without an address it listens on 127.0.0.1. It ends when stdin ends. It is a process of its own, so that
the nemesis and the links do not wait for each other.

A link holds back a bounded number of bytes. At the bound the proxy stops reading, and the
sender's kernel buffers fill.
"""

import asyncio
import json
import random
import signal
import socket
import struct
import sys
from collections import deque
from dataclasses import dataclass

HELD_MAX = 256 * 1024
HELD_LOW = 64 * 1024
ORDER_MAX = 8 * 1024 * 1024
HOST = "127.0.0.1"


@dataclass(frozen=True)
class Toxics:
    """The faults of a link; False and 0 mean none."""

    cut: bool = False  # every connection is reset, new ones at once
    blackhole: bool = False  # connections open, but no byte passes
    delay_ms: float = 0  # each way
    jitter_ms: float = 0  # on top, at random; the order of bytes stays
    kib_s: float = 0  # each way of each connection
    slice_bytes: int = 0  # the longest write
    close_after: int = 0  # bytes of either way, then the connection is reset
    refuse: bool = False  # nothing listens; open connections are reset
    deaf: bool = False  # the accept queue is full: new connections are never opened
    # Connections get this text, and nothing reaches the target; open ones are reset.
    says: str = ""
    answers: str = ""  # the same, but the text follows the first bytes of the client

    @property
    def resets(self) -> bool:
        """Whether open connections end."""
        return bool(self.cut or self.refuse or self.says or self.answers)

    @property
    def slows(self) -> bool:
        return bool(self.delay_ms or self.jitter_ms or self.kib_s or self.slice_bytes)


class Way:
    """One direction of a connection: the bytes that wait, each with its time to be written."""

    def __init__(self, link: "Link", pair: "Pair", source: "End"):
        self.link, self.pair, self.source = link, pair, source
        self.sink: End | None = None
        self.held: deque[tuple[float, bytes]] = deque()
        self.held_bytes = 0
        self.ended = False  # the source has sent its last byte
        self.last_due = 0.0
        self.passed = 0
        self.timer: asyncio.TimerHandle | None = None

    @property
    def stuck(self) -> bool:
        return self.link.toxics.blackhole or self.sink is None

    def take(self, data: bytes) -> None:
        toxics = self.link.toxics
        if toxics.close_after and self.passed + len(data) > toxics.close_after:
            self.pair.reset()
            return
        self.passed += len(data)
        if not (self.held or toxics.slows or self.stuck):
            self.write(data)
            return
        for piece in self.pieces(data, toxics.slice_bytes):
            self.hold(piece, toxics)
        self.plan()
        self.balance()

    @staticmethod
    def pieces(data: bytes, size: int):
        size = size or len(data)
        for start in range(0, len(data), size):
            yield data[start:start + size]

    def hold(self, piece: bytes, toxics: Toxics) -> None:
        now = asyncio.get_running_loop().time()
        due = now + (toxics.delay_ms + random.uniform(0, toxics.jitter_ms)) / 1000
        due = max(due, self.last_due)
        if toxics.kib_s:
            due += len(piece) / 1024 / toxics.kib_s
        elif toxics.slice_bytes:
            due += 0.001
        self.last_due = due
        self.held.append((due, piece))
        self.held_bytes += len(piece)

    def write(self, data: bytes) -> None:
        if self.sink.transport:
            self.sink.transport.write(data)

    def plan(self) -> None:
        if self.timer or not self.held or self.stuck:
            return
        self.timer = asyncio.get_running_loop().call_at(self.held[0][0], self.drain)

    def drain(self) -> None:
        self.timer = None
        if self.stuck:
            return
        now = asyncio.get_running_loop().time()
        while self.held and self.held[0][0] <= now:
            _, piece = self.held.popleft()
            self.held_bytes -= len(piece)
            self.write(piece)
        self.balance()
        self.plan()
        self.finish()

    def balance(self) -> None:
        """Reads only while the buffer has room."""
        full = self.held_bytes > (HELD_LOW if self.source.paused else HELD_MAX)
        self.source.pause(full or self.stuck or self.sink.jammed)

    def end(self) -> None:
        self.ended = True
        self.finish()

    def finish(self) -> None:
        if self.ended and not self.held and not self.stuck and self.sink.transport:
            self.sink.say_end()

    def changed(self) -> None:
        """Takes the link's new toxics; bytes that wait keep their time."""
        self.plan()
        self.balance()
        self.finish()

    def drop(self) -> None:
        if self.timer:
            self.timer.cancel()
        self.held.clear()


class End(asyncio.Protocol):
    """One of the two sockets of a connection through the proxy."""

    def __init__(self, pair: "Pair"):
        self.pair = pair
        self.transport: asyncio.Transport | None = None
        self.way: Way | None = None  # bytes that arrive here
        self.back: Way | None = None  # bytes that leave here
        self.paused = self.jammed = self.said_end = False

    def connection_made(self, transport) -> None:
        self.transport = transport
        transport.get_extra_info("socket").setsockopt(
            socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.pair.opened(self)

    def data_received(self, data: bytes) -> None:
        if self.pair.fake:
            self.transport.write(self.pair.link.toxics.answers.encode("latin-1"))
        else:
            self.way.take(data)

    def eof_received(self) -> bool:
        if self.pair.fake:
            return False
        self.way.end()
        return True

    def connection_lost(self, error) -> None:
        self.transport = None
        self.pair.lost()

    def pause_writing(self) -> None:
        self.jammed = True
        self.back.balance()

    def resume_writing(self) -> None:
        self.jammed = False
        self.back.balance()

    def pause(self, wanted: bool) -> None:
        if self.transport is None or wanted == self.paused:
            return
        self.paused = wanted
        if wanted:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()

    def say_end(self) -> None:
        if self.said_end:
            return
        self.said_end = True
        try:
            self.transport.write_eof()
        except OSError:  # reset by its peer; an event about it follows
            self.pair.reset()
            return
        self.pair.ended()

    def reset(self) -> None:
        if self.transport:
            self.transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.transport.abort()


class Pair:
    def __init__(self, link: "Link"):
        self.link = link
        self.near, self.far = End(self), End(self)
        self.near.way = self.far.back = Way(link, self, self.near)
        self.far.way = self.near.back = Way(link, self, self.far)
        self.near.way.sink, self.far.way.sink = None, self.near
        self.dead = self.fake = False

    def impostor(self) -> bool:
        """Whether the link itself answers, in place of the target."""
        toxics = self.link.toxics
        if toxics.says:
            self.near.transport.write(toxics.says.encode("latin-1"))
        return bool(toxics.says or toxics.answers)

    def opened(self, end: End) -> None:
        if end is self.near:
            self.link.pairs.add(self)
            if self.link.toxics.cut:
                self.reset()
                return
            self.fake = self.impostor()
            if self.fake:
                return
            end.pause(True)
            self.link.spawn(self.reach())
        else:
            self.near.way.sink = end
            for way in (self.near.way, self.far.way):
                way.changed()

    async def reach(self) -> None:
        try:
            await asyncio.get_running_loop().create_connection(
                lambda: self.far, HOST, self.link.target)
        except OSError:
            self.reset()
        if self.dead:
            self.far.reset()

    def ended(self) -> None:
        """Each side has sent its last byte and has received the other side's end."""
        if self.near.said_end and self.far.said_end:
            self.unregister()
            for end in (self.near, self.far):
                if end.transport:
                    end.transport.close()

    def lost(self) -> None:
        """One side ended early: ends the other side too."""
        if not self.dead:
            self.reset()

    def reset(self) -> None:
        self.unregister()
        self.near.reset()
        self.far.reset()

    def unregister(self) -> None:
        self.dead = True
        self.link.pairs.discard(self)
        self.near.way.drop()
        self.far.way.drop()


class Link:
    def __init__(self, port: int, target: int, host: str = HOST):
        self.port, self.target, self.host = port, target, host
        self.toxics = Toxics()
        self.server: asyncio.Server | None = None
        self.full: list[socket.socket] = []  # a full accept queue, and what fills it
        self.pairs: set[Pair] = set()
        self.tasks: set[asyncio.Task] = set()

    async def listen(self) -> None:
        self.server = await asyncio.get_running_loop().create_server(
            lambda: Pair(self).near, self.host, self.port, backlog=1024)

    def fill(self) -> None:
        """A queue of length 0 takes one connection; the kernel drops the SYNs of others."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((self.host, self.port))
        listener.listen(0)
        self.full.append(listener)
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex((self.host, self.port))
            self.full.append(filler)

    async def open_or_close(self) -> None:
        while self.full:
            self.full.pop().close()
        listening = not (self.toxics.refuse or self.toxics.deaf)
        if self.server and not listening:
            self.server.close()
            self.server = None
        elif not self.server and listening:
            await self.listen()
        if self.toxics.deaf:
            self.fill()

    def spawn(self, work) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def set(self, toxics: Toxics) -> None:
        self.toxics = toxics
        await self.open_or_close()
        for pair in list(self.pairs):
            if toxics.resets or pair.fake:
                pair.reset()
                continue
            for way in (pair.near.way, pair.far.way):
                way.changed()


class Proxy:
    def __init__(self):
        self.links: dict[str, Link] = {}

    async def obey(self, order: dict) -> None:
        for name, address in order.get("open", {}).items():
            self.links[name] = Link(*address)
            await self.links[name].listen()
        if "link" in order:
            await self.links[order["link"]].set(Toxics(**order["toxics"]))


async def serve() -> None:
    proxy = Proxy()
    orders = asyncio.StreamReader(limit=ORDER_MAX)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    while line := await orders.readline():
        try:
            await proxy.obey(json.loads(line))
            answer = {"done": True}
        except (OSError, KeyError, TypeError, ValueError) as error:
            answer = {"done": False, "why": repr(error)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    # The parent closes stdin at the end; a Ctrl-C is meant for the parent.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asyncio.run(serve())
