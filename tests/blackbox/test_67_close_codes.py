"""The code and the reason of each close reach a client that goes on sending, with and without
nginx between: the gateway, and nginx, read on until the client has read the close."""

import json
import struct
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from websockets.exceptions import ConnectionClosed

from support.api import Api, Person
from support.chat import Socket, open_socket
from support.lone_gateway import LoneGateway
from support.own_nginx import OwnNginx
from support.raw import BINARY, CLOSE, PING, TEXT, RawSocket, close_frame, frame
from support.server_key import forge_with_server_key
from support.service import Service
from support.stack import Stack
from support.wait import until

# Sockets of each row. One that loses its close frame fails the test.
SOCKETS = 5
# Between two writes of a client; the gateway always has unread bytes all the same.
PAUSE_S = 0.001
# Frames without an answer, so that only the close travels to the client.
TYPING = frame(TEXT, json.dumps({"type": "typing", "conversation": 9007199254740991}).encode())


class TokenRefused(Exception):
    pass


class Talker:
    """A client that goes on sending until its connection breaks, and reads meanwhile."""
    def __init__(self, url: str, token: str, receive_bytes: int = 0):
        self.raw = RawSocket(url, receive_bytes=receive_bytes)
        answer = self.raw.upgrade(token)
        if answer.status == 401:
            raise TokenRefused
        assert answer.status == 101, answer
        self.lock = threading.Lock()  # frames of two threads must not mix
        self.stopped = threading.Event()
        self.broken: OSError | None = None
        self.thread = threading.Thread(target=self.talk)
        self.thread.start()

    def talk(self) -> None:
        try:
            while not self.stopped.wait(PAUSE_S):
                with self.lock:
                    self.raw.send(TYPING * 10)
        except OSError as error:
            self.broken = error

    def send(self, data: bytes) -> None:
        with self.lock:
            self.raw.send(data)

    def wait_welcomed(self) -> None:
        while True:
            op, payload = self.raw.receive()
            if op == TEXT and json.loads(payload)["type"] == "welcome":
                return

    def close_of_server(self) -> tuple[int, str]:
        """Libraries give up when a write fails: it must not, before the close is read."""
        try:
            while True:
                op, payload = self.raw.receive()
                if op == CLOSE:
                    break
        except (EOFError, OSError) as error:
            return 0, repr(error)
        if self.broken:
            return 0, repr(self.broken)
        return struct.unpack(">H", payload[:2])[0], payload[2:].decode()

    def end(self) -> None:
        self.stopped.set()
        self.raw.tcp.close()
        self.thread.join()


@dataclass
class World:
    stack: Stack
    api: Api
    exits: ExitStack

    def gateway(self, **changes: str) -> Service:
        return self.exits.enter_context(
            Service(self.stack, "websocket-service", **{"WEBSOCKET_USER_RATE": "0"} | changes))

    def url(self, gateway: Service, behind_nginx: bool) -> str:
        if not behind_nginx:
            return gateway.ws_url
        return self.exits.enter_context(OwnNginx(self.stack, gateway)).ws_url

    def talker(self, url: str, token: str, **options) -> Talker:
        talker = Talker(url, token, **options)
        self.exits.callback(talker.end)
        return talker

    def talkers(self, url: str, token: str) -> list[Talker]:
        return [self.talker(url, token) for _ in range(SOCKETS)]

    def talkers_whose_token_ends(self, url: str) -> list[Talker]:
        """Open, and their token ends soon. A slow machine needs a longer life of the token."""
        forge = forge_with_server_key(self.stack, self.api)
        for life_s in (3, 12, 48, 192):
            expires = int(time.time()) + life_s
            try:
                talkers = self.talkers(url, forge.signed(exp=expires))
            except TokenRefused:
                continue
            if time.time() < expires - 1:
                return talkers
        raise AssertionError("each token ended before the sockets were open")


@pytest.fixture
def world(stack: Stack, api: Api) -> Iterator[World]:
    with ExitStack() as exits:
        yield World(stack, api, exits)


def assert_all_closed(talkers: list[Talker], code: int, reason: str) -> None:
    """Each reads by itself: the closes may lie seconds apart, as a gateway that stops waits for
    the frames under way of each socket."""
    with ThreadPoolExecutor(len(talkers)) as pool:
        closes = list(pool.map(Talker.close_of_server, talkers))
    assert closes == [(code, reason)] * len(talkers)


VIA = pytest.mark.parametrize("behind_nginx", [False, True], ids=["direct", "nginx"])

FAULTS: dict[str, tuple[bytes, int, str]] = {
    "a frame without a mask": (frame(TEXT, b"{}", mask=False), 1002, "the frame is not masked"),
    "a reserved opcode": (frame(3), 1002, "the opcode is reserved"),
    "a binary message": (frame(BINARY, b"x"), 1003, "binary messages are not accepted"),
    "no UTF-8": (frame(TEXT, b"\xff"), 1007, "the text is not UTF-8"),
    "pings": (frame(PING) * 1000, 1008, "too many control frames or fragments"),
    "too big": (frame(TEXT, b"x" * 70000), 1009, "the message is too big"),
    "the client's own close": (close_frame(4003, b"bye"), 4003, ""),
}


@VIA
@pytest.mark.parametrize("fault", FAULTS)
def test_after_a_fault(fault: str, behind_nginx: bool, world: World, alice: Person):
    data, code, reason = FAULTS[fault]
    talkers = world.talkers(world.url(world.gateway(), behind_nginx), alice.token)
    for talker in talkers:
        talker.send(data)
    assert_all_closed(talkers, code, reason)


@VIA
def test_when_the_user_sends_too_fast(behind_nginx: bool, world: World, alice: Person):
    gateway = world.gateway(WEBSOCKET_USER_RATE="5", WEBSOCKET_USER_BURST="10")
    talkers = world.talkers(world.url(gateway, behind_nginx), alice.token)
    assert_all_closed(talkers, 4429, "too fast")


@VIA
def test_when_the_gateway_stops(behind_nginx: bool, world: World, alice: Person):
    gateway = world.gateway()
    talkers = world.talkers(world.url(gateway, behind_nginx), alice.token)
    gateway.child.terminate()
    assert_all_closed(talkers, 1001, "restarting")


@VIA
@pytest.mark.slow
def test_when_the_token_expires(behind_nginx: bool, world: World):
    url = world.url(world.gateway(), behind_nginx)
    assert_all_closed(world.talkers_whose_token_ends(url), 4401, "token_ended")


def log_out(talkers: list[Talker], api: Api, alice: Person, bob: Person) -> None:
    assert api.ask("POST", "/auth/logout", alice).status_code == 204


def use_the_token_of_another_user(talkers: list[Talker], api: Api, alice: Person,
                                  bob: Person) -> None:
    for talker in talkers:
        talker.send(frame(TEXT, json.dumps({"type": "auth", "token": bob.token}).encode()))


TOKENS = {"session_ended": log_out, "another_user": use_the_token_of_another_user}


@VIA
@pytest.mark.parametrize("reason", TOKENS)
def test_when_the_token_is_of_no_use(reason: str, behind_nginx: bool, world: World,
                                     alice: Person, bob: Person):
    talkers = world.talkers(world.url(world.gateway(), behind_nginx), alice.token)
    TOKENS[reason](talkers, world.api, alice, bob)
    assert_all_closed(talkers, 4401, reason)


@VIA
def test_when_messages_of_a_room_were_missed(behind_nginx: bool, world: World, alice: Person):
    """The gateway sends `welcome` after a second without an answer, and the late answer names
    a room."""
    lone = world.exits.enter_context(LoneGateway(world.stack))
    talkers = world.talkers(world.url(lone.gateway, behind_nginx), alice.token)
    for talker in talkers:
        talker.wait_welcomed()
    asked = lone.saves(lambda save: save["kind"] == "rooms")[-1]
    lone.answer_rooms(asked, f"{alice.id}=1700:43")
    assert_all_closed(talkers, 1013, "read the backlog again")


@VIA
def test_when_a_library_sends_without_reading(behind_nginx: bool, world: World):
    gateway = world.gateway(WEBSOCKET_USER_RATE="2", WEBSOCKET_USER_BURST="5")
    url = world.url(gateway, behind_nginx)
    for _ in range(SOCKETS):
        person = world.api.register()
        with Socket(url, person.token) as socket:
            try:
                for number in range(5000):
                    socket.say(person.id, f"n{number}")
            except ConnectionClosed:
                pass
            assert socket.closed() == (4429, "too fast")


@VIA
@pytest.mark.slow
def test_when_the_client_reads_too_slowly(behind_nginx: bool, world: World, alice: Person,
                                          bob: Person):
    gateway = world.gateway()
    talker = world.talker(world.url(gateway, behind_nginx), bob.token, receive_bytes=4096)
    # It reads nothing until the gateway has closed its socket.
    with open_socket(gateway.ws_url, alice) as sender:
        def closed() -> bool:
            sender.saved(sender.say(bob.id, "x" * 16000))
            return bool(gateway.events("socket.too_slow"))
        until("the client is too slow", closed)
    assert talker.close_of_server() == (4408, "too slow")


# --- refused upgrades --------------------------------------------------------------------
@VIA
@pytest.mark.parametrize("token", ["nonsense", None])
def test_a_refused_upgrade(token: str | None, behind_nginx: bool, world: World):
    url = world.url(world.gateway(), behind_nginx)
    for _ in range(SOCKETS):
        with RawSocket(url) as raw:
            stopped = threading.Event()

            def talk() -> None:
                try:
                    while not stopped.wait(PAUSE_S):
                        raw.send(b"x" * 1000)
                except OSError:
                    pass
            head = [f"GET {raw.path} HTTP/1.1", f"Host: {raw.host}", "Connection: Upgrade",
                    "Upgrade: websocket", "Sec-WebSocket-Version: 13",
                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
            head += [f"Authorization: Bearer {token}"] if token else []
            raw.send("\r\n".join(head + ["", ""]).encode())
            thread = threading.Thread(target=talk)
            thread.start()
            try:
                answer = raw.answer()
            finally:
                stopped.set()
                raw.tcp.close()
                thread.join()
            # 400, 431: some of the bytes had arrived together with the head.
            assert answer.status in (400, 401, 431), answer
            assert json.loads(answer.body)["status"] == answer.status
