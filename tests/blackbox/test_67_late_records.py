"""Late records: a process that was stopped, or cut off, goes on later and produces what it had
decided long before, or carries out what it was asked then. Nobody believes it: each test keeps real records, lets the world go on, and
produces them again. One gateway has seen the world go on, the other one has started since.
test_57_rooms.py has the same for rooms.
"""

import re
import signal
import socket
from collections.abc import Callable, Iterator

import pytest

from support.api import Api, Person
from support.chat import Socket, new_uuid
from support.conversations import assert_no_frames_of, change_of, make
from support.service import Service
from support.stack import Stack
from support.stores import Record, produce_again, records, rows
from support.wait import HANG_S, until

EVENTS, SAVE = "message_events", "message_save"
QUERIES = "parley_rooms_queries_total"


# --- blocks ------------------------------------------------------------------------------
class Blocks:
    """Bob blocks alice, or does not; alice has a socket at each of two gateways."""

    def __init__(self, stack: Stack, api: Api, alice: Person, bob: Person, enter):
        self.stack, self.api, self.alice, self.bob, self.enter = stack, api, alice, bob, enter
        self.gateways: list[Service] = []
        self.sockets: list[Socket] = []
        self.marker = enter(api.register())
        enter(bob)

    def connect(self, gateway: Service) -> None:
        self.gateways.append(gateway)
        self.sockets.append(self.enter(self.alice, gateway.ws_url))

    def set(self, blocked: bool) -> None:
        answer = self.api.ask("PUT" if blocked else "DELETE", f"/blocks/{self.alice.id}", self.bob)
        assert answer.status_code == 204, answer.text

    def presence(self, socket: Socket) -> str:
        """Empty while the gateway does not know yet."""
        socket.watch(self.bob.id)
        told = socket.until("an answer", lambda frame: frame["type"] == "presence" or
                            frame.get("code") == "unavailable")
        if told["type"] == "error":
            return ""
        socket.watch()
        return told["users"][0]["state"]

    def wait_known(self, blocked: bool) -> None:
        wanted = "offline" if blocked else "online"
        for socket in self.sockets:
            until(f"bob is {wanted}", lambda: self.presence(socket) == wanted)

    def changes(self, topic: str, sign: str = "") -> list[Record]:
        """The records about the block: all in message_save, or those of message_events that
        say that it is made ("+") or taken away ("-")."""
        def fits(record: Record) -> bool:
            if topic == SAVE:
                value = record.json()
                return value["kind"] == "blocked" and value["sender"] == self.bob.id
            pairs = {"blocker": (self.alice, self.bob), "blocked": (self.bob, self.alice)}
            return any(record.headers.get(name) == f"{sign}{by.id}".encode()
                       and record.key == str(key.id) for name, (key, by) in pairs.items())
        return records(self.stack, topic, fits, 2)

    def assert_holds(self, blocked: bool, late: Callable[[], None]) -> None:
        """After the late records as before them."""
        before = [gateway.metric(QUERIES) for gateway in self.gateways]
        late()
        for gateway, count in zip(self.gateways, before, strict=True):
            until("the gateway has asked and was answered", lambda: gateway.metric(QUERIES) > count
                  and gateway.metric("parley_rooms_pending_users") == 0)
        for socket in self.sockets:
            assert self.presence(socket) == ("offline" if blocked else "online")
            uuid = socket.say(self.bob.id, "hi")
            if blocked:
                socket.refused(uuid, "unknown_user")
            else:
                socket.saved(uuid)
            assert [frame for frame in socket.quiet(self.marker, new_uuid(), self.alice.id)
                    if frame["type"] == "presence"] == []


@pytest.fixture
def blocks(stack: Stack, api: Api, alice: Person, bob: Person, enter) -> Iterator[Blocks]:
    blocks = Blocks(stack, api, alice, bob, enter)
    with Service(stack, "websocket-service") as gateway:
        blocks.connect(gateway)
        yield blocks


@pytest.mark.slow
@pytest.mark.parametrize("blocked", [False, True])
@pytest.mark.parametrize("topic", [EVENTS, SAVE])
def test_late_records_change_no_block(topic: str, blocked: bool, blocks: Blocks, stack: Stack):
    """`blocked`: how it is when the records of the opposite come again."""
    blocks.wait_known(False)
    for state in (True, False, True, False)[:4 - blocked]:
        blocks.set(state)
        blocks.wait_known(state)
    late = blocks.changes(topic, "-" if blocked else "+")
    with Service(stack, "websocket-service") as later:
        blocks.connect(later)
        blocks.wait_known(blocked)
        blocks.assert_holds(blocked, lambda: produce_again(stack, topic, late))


# --- typing -----------------------------------------------------------------------------
def test_a_late_roster_sends_typing_to_nobody_who_has_left(stack: Stack, api: Api, alice: Person,
                                                           bob: Person, enter):
    carol = api.register()
    group = make(api, alice, bob, carol)
    one, two, three, marker = enter(alice), enter(bob), enter(carol), enter(api.register())

    def typing_arrives(socket: Socket) -> None:
        def arrives() -> bool:
            one.typing(group.id)
            return bool(socket.expect(0.5, type="typing", conversation=group.id))
        until("typing", arrives)

    typing_arrives(three)
    late = records(stack, EVENTS, lambda record: record.headers.get("roster", b"").startswith(
        f"{group.id}:".encode()))
    group.leave(carol)
    for socket in (one, two, three):
        change_of(socket, group.id, "left")
        socket.seen.clear()
    produce_again(stack, EVENTS, late)
    typing_arrives(two)
    assert_no_frames_of(group.id, three, marker, carol)


# --- keys of conversations --------------------------------------------------------------
GUESSES = 50


def test_a_late_answer_hides_no_conversation(stack: Stack, api: Api, alice: Person, enter):
    """Alice guesses the ids of conversations to come, so that persistence answers that there
    are none. One of them is made then."""
    with Service(stack, "websocket-service") as gateway:
        one = enter(alice, gateway.ws_url)

        def guess() -> list[int]:
            last, = rows(stack, "SELECT COALESCE(MAX(id), 0) FROM conversations")[0]
            guesses = [int(last) + 1 + number for number in range(GUESSES)]
            for uuid in [one.say_in(guess, "is there one?") for guess in guesses]:
                one.refused(uuid, "unknown_conversation")
            return guesses

        def assert_known(conversation: int) -> None:
            """The gateway does not use the key of a group for the pair."""
            state = ""
            while state != "saved":
                answer = one.until("an answer", lambda frame, uuid=one.say_in(conversation, "hi"):
                                   frame.get("uuid") == uuid and frame.get("state") in
                                   ("saved", "error"))
                state = answer["state"]
                assert state == "saved" or "looked up" in answer["detail"], answer

        def made() -> tuple[Person, int] | None:
            """Other tests may have taken all the ids meanwhile."""
            guesses, bob = guess(), api.register()
            conversation = one.saved(one.say(bob.id, "first"))["conversation"]
            return (bob, conversation) if conversation in guesses else None

        bob, conversation = until("a conversation is made whose id was guessed", made)
        assert_known(conversation)
        late = records(stack, EVENTS, lambda record: re.search(
            rf"(^|,){conversation}=(,|$)", record.headers.get("keys", b"").decode()) is not None)
        two = enter(bob)
        for _ in range(3):
            produce_again(stack, EVENTS, late)
            uuid = two.say(alice.id, "behind the late answer")
            one.expect(type="message", uuid=uuid)
            assert_known(conversation)


# --- requests ----------------------------------------------------------------------------
ANSWERS = "parley_http_requests_total"


@pytest.mark.parametrize(("method", "below"), [
    ("DELETE", "/members/{bob}"), ("POST", "/members"), ("PATCH", ""), ("DELETE", "")])
def test_a_request_that_nobody_waits_for_is_not_carried_out(method: str, below: str, stack: Stack,
                                                            api: Api, alice: Person, bob: Person):
    """persistence was stopped when it came. The client has given up, as a balancer does."""
    carol = api.register()
    group = make(api, alice, bob)
    body = {"POST": f'{{"users":[{carol.id}]}}', "PATCH": '{"name":"another"}'}.get(method, "")
    before = group.seen_by(alice)
    with Service(stack, "persistence-service") as persistence:
        answers = persistence.metric(ANSWERS)
        persistence.child.send_signal(signal.SIGSTOP)
        try:
            with socket.create_connection(("127.0.0.1", persistence.port), timeout=HANG_S) as tcp:
                tcp.sendall(f"{method} {group.path}{below.format(bob=bob.id)} HTTP/1.1\r\n"
                            f"Host: 127.0.0.1\r\nAuthorization: Bearer {alice.token}\r\n"
                            "Content-Type: application/json\r\n"
                            f"Content-Length: {len(body)}\r\n\r\n{body}".encode())
        finally:
            persistence.child.send_signal(signal.SIGCONT)
        until("the request is dealt with", lambda: persistence.metric(ANSWERS) > answers)
    assert group.seen_by(alice) == before
    assert set(group.roles(alice)) == {alice.id, bob.id}
