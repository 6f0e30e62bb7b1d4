"""Hostile clients: their cost is bounded, and other clients are not affected."""

import json
import resource
import selectors
import socket as sockets
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from support.api import Api, Person
from support.chat import new_uuid, open_socket
from support.process_memory import is_own, resident
from support.raw import CONTINUATION, PING, PONG, TEXT, RawSocket, frame, open_raw
from support.service import Service
from support.stack import Stack
from support.wait import HANG_S, until

SLOW_READERS = 100
HALF_OPEN = 1000
HEADS_MAX = 4096  # HANDSHAKES_MAX in websocket-service/socket/connection.h
QUEUE_BYTES = 256 << 10  # the preset of WEBSOCKET_QUEUE_BYTES
KERNEL_BYTES = 256 << 10  # UNSENT_MAX in websocket-service/socket/sockets.c
HALF_HEAD = b"GET /ws HTTP/1.1\r\nHost: half\r\nUpgrade: websocket\r\nX-Slow: "


def kernel_connections(port: int) -> int:
    """TCP connections at this local port, including those without a process."""
    over = {"06", "07", "0A"}  # TIME_WAIT, CLOSE, LISTEN
    with open("/proc/net/tcp", encoding="ascii") as table:
        rows = [line.split() for line in table][1:]
    return sum(1 for row in rows if int(row[1].split(":")[1], 16) == port and row[3] not in over)


@pytest.fixture(scope="module", autouse=True)
def many_descriptors() -> None:
    """Raises the limit, also for the gateways started here."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


@pytest.fixture
def gateway(stack: Stack) -> Iterator[Service]:
    """A gateway of its own: its log and memory belong to the test. Thousands of connections
    that open in one moment are one turn of its loop."""
    with Service(stack, "websocket-service", WEBSOCKET_TURN_MAX_MS="0",
                 WEBSOCKET_USER_SOCKETS_MAX=str(SLOW_READERS + 1)) as gateway:
        yield gateway


# --- readers that do not read --------------------------------------------------------
def open_without_reading(url: str, person: Person) -> RawSocket:
    """A socket with a small kernel buffer that reads its welcome and nothing more."""
    raw = RawSocket(url, receive_bytes=4096)
    assert raw.upgrade(person.token).status == 101
    raw.next(TEXT)
    return raw


@pytest.mark.slow
def test_a_hundred_slow_readers_are_closed(gateway: Service, api: Api, alice: Person,
                                           bob: Person):
    with ExitStack() as opened:
        sender = opened.enter_context(open_socket(gateway.ws_url, alice))
        healthy = opened.enter_context(open_socket(gateway.ws_url, bob))
        sender.saved(sender.say(bob.id, "warm"))
        healthy.expect(type="message")
        slow = [opened.enter_context(open_without_reading(gateway.ws_url, bob))
                for _ in range(SLOW_READERS)]
        before = resident(gateway.child.pid)
        most, sent, text = 0, [], "x" * 16000
        deadline = time.monotonic() + 4 * HANG_S
        while len(gateway.events("socket.too_slow")) < SLOW_READERS:
            assert time.monotonic() < deadline, "the gateway has not closed all slow readers"
            sent.append(sender.say(bob.id, text))
            sender.saved(sent[-1])
            healthy.expect(type="message", uuid=sent[-1])
            most = max(most, resident(gateway.child.pid))
        assert len(sent) * len(text) < 2 * (QUEUE_BYTES + KERNEL_BYTES)
        # For each: its queue, and the copy made while the queue grows.
        assert most - before < SLOW_READERS * 2 * QUEUE_BYTES or not is_own(gateway.binary)
        until("all slow readers are disconnected", lambda: gateway.metric("parley_sockets") == 2)
        for raw in slow:
            raw.wait_end()
        last = sender.say(bob.id, "still here")
        conversation = sender.saved(last)["conversation"]
        healthy.expect(type="message", uuid=last)
        history = api.all_messages(bob, conversation)
        assert [message["uuid"] for message in history][1:] == [*sent, last]


@pytest.mark.slow
def test_slow_readers_that_never_read_are_disconnected(gateway: Service, alice: Person,
                                                       bob: Person):
    """The close frame cannot be sent either: the gateway frees the socket and its
    kernel buffer anyway."""
    with open_socket(gateway.ws_url, alice) as sender:
        slow = [open_without_reading(gateway.ws_url, bob) for _ in range(10)]
        while len(gateway.events("socket.too_slow")) < len(slow):
            sender.saved(sender.say(bob.id, "x" * 16000))
        until("only the sender is left", lambda: gateway.metric("parley_sockets") == 1)
        until("the kernel has no other connection", lambda: kernel_connections(gateway.port) == 1)
        for raw in slow:
            raw.tcp.close()


# --- unfinished handshakes -----------------------------------------------------------
@contextmanager
def half_open(gateway: Service, count: int) -> Iterator[list[sockets.socket]]:
    """Opens `count` connections that have sent half a request head."""
    opened = []
    try:
        for _ in range(count):
            opened.append(sockets.create_connection(("127.0.0.1", gateway.port), timeout=HANG_S))
            opened[-1].sendall(HALF_HEAD)
        yield opened
    finally:
        for one in opened:
            one.close()


def wait_closed(ones: list[sockets.socket], timeout_s: float = HANG_S) -> int:
    """Waits until the gateway has closed all of them; returns how many it has closed."""
    deadline, ended = time.monotonic() + timeout_s, 0
    with selectors.DefaultSelector() as selector:
        for one in ones:
            selector.register(one, selectors.EVENT_READ)
        while ended < len(ones) and time.monotonic() < deadline:
            for key, _ in selector.select(max(0.0, deadline - time.monotonic())):
                try:
                    assert key.fileobj.recv(1) == b"", "an answer to half a request"
                except ConnectionError:
                    pass
                selector.unregister(key.fileobj)
                ended += 1
    return ended


@pytest.mark.slow
def test_a_thousand_half_open_handshakes_are_closed(gateway: Service, alice: Person, bob: Person):
    before = resident(gateway.child.pid)
    with half_open(gateway, HALF_OPEN) as halves:
        until("all connections are open", lambda: gateway.metric("parley_sockets") == HALF_OPEN)
        grown = resident(gateway.child.pid) - before
        assert grown < HALF_OPEN * (16 << 10) or not is_own(gateway.binary)
        with open_socket(gateway.ws_url, alice) as one, open_socket(gateway.ws_url, bob) as two:
            uuid = one.say(bob.id, "hi")
            one.saved(uuid)
            two.expect(type="message", uuid=uuid)
            # Sending slowly does not extend the ten seconds for a whole head.
            deadline = time.monotonic() + 5
            while time.monotonic() < deadline:
                for half in halves:
                    half.sendall(b"x")
                time.sleep(0.5)
            assert wait_closed(halves) == HALF_OPEN
            assert gateway.metric("parley_sockets") == 2
            assert one.alive() and two.alive()


@pytest.mark.slow
def test_half_open_handshakes_never_fill_the_gateway(gateway: Service, alice: Person):
    """The gateway closes the oldest to make room."""
    more = 50
    with half_open(gateway, HEADS_MAX + more) as halves:
        until("the gateway has room", lambda: gateway.metric("parley_sockets") <= HEADS_MAX)
        assert wait_closed(halves[:more]) == more
        with open_socket(gateway.ws_url, alice) as socket:
            assert socket.alive()
            assert gateway.metric("parley_sockets") <= HEADS_MAX + 1


# --- floods of frames ----------------------------------------------------------------
def send_until_closed(raw: RawSocket, data: bytes) -> None:
    """Sends the data repeatedly until the server closes."""
    raw.tcp.settimeout(HANG_S)
    try:
        while True:
            raw.tcp.sendall(data)
    except (ConnectionError, TimeoutError):
        pass


def one_byte_fragments(raw: RawSocket) -> None:
    raw.send(frame(TEXT, b" ", fin=False))
    send_until_closed(raw, frame(CONTINUATION, b" ", fin=False) * 1000)


def empty_fragments(raw: RawSocket) -> None:
    raw.send(frame(TEXT, b"", fin=False))
    send_until_closed(raw, frame(CONTINUATION, b"", fin=False) * 1000)


def large_fragments(raw: RawSocket) -> None:
    raw.send(frame(TEXT, b" " * 4096, fin=False))
    send_until_closed(raw, frame(CONTINUATION, b" " * 4096, fin=False))


FLOODS: dict[str, tuple[Callable[[RawSocket], None], int]] = {
    "fragments of one byte": (one_byte_fragments, 1008),
    "fragments of nothing": (empty_fragments, 1008),
    "fragments over the cap": (large_fragments, 1009),
    "a message over the cap": (lambda raw: send_until_closed(raw, frame(TEXT, b" " * 65537)), 1009),
    "pings": (lambda raw: send_until_closed(raw, frame(PING, b"x" * 125) * 100), 1008),
    "pongs": (lambda raw: send_until_closed(raw, frame(PONG, b"x" * 125) * 100), 1008),
    "pings between fragments": (
        lambda raw: send_until_closed(raw, frame(TEXT, b"", fin=False) + frame(PING) * 1000), 1008),
}


@pytest.mark.slow
@pytest.mark.parametrize("flood, code", FLOODS.values(), ids=FLOODS.keys())
def test_a_flood_gets_its_close_code(flood: Callable[[RawSocket], None], code: int,
                                     gateway: Service, alice: Person, bob: Person):
    with open_socket(gateway.ws_url, bob) as healthy:
        before = resident(gateway.child.pid)
        with open_raw(gateway.ws_url, alice.token) as raw:
            flood(raw)
            assert close_code_among(raw) == code
        fault, = gateway.events("socket.fault")
        assert (fault["code"], fault["user"]) == (code, alice.id)
        grown = resident(gateway.child.pid) - before
        assert grown < 2 << 20 or not is_own(gateway.binary)
        healthy.saved(healthy.say(bob.id, "untouched"))


def close_code_among(raw: RawSocket) -> int:
    """The code of the close frame; skips other frames."""
    while True:
        op, payload = raw.receive()
        if op == 8:
            return int.from_bytes(payload[:2], "big")


def test_many_fragments_of_an_honest_client_are_accepted(gateway: Service, alice: Person,
                                                         bob: Person):
    """A client that sends messages in fragments of 64 bytes is not closed."""
    text = json.dumps({"uuid": new_uuid(), "message": "x" * 16000, "user_to": bob.id}).encode()
    pieces = [text[at:at + 64] for at in range(0, len(text), 64)]
    with open_raw(gateway.ws_url, alice.token) as raw:
        for _ in range(10):
            raw.send(b"".join(frame(CONTINUATION if at else TEXT, piece,
                                    fin=at == len(pieces) - 1)
                              for at, piece in enumerate(pieces)))
            while json.loads(raw.next(TEXT)).get("state") != "saved":
                pass
