"""A block is silence between two users, in their direct conversation and nowhere else.

Bob blocks Alice. Each test goes through three times: before the block, during it, and after
it was taken away; so whatever a gateway has cached about the two has to change twice.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from support.api import Api, Person
from support.chat import Socket, new_uuid
from support.conversations import make
from support.service import Service
from support.stack import Stack
from support.wait import HANG_S, until

# The gateway passes one `typing` in 2 s on; see docs/protocol/socket.md.
TYPING_PAUSE_S = 2.1
KINDS = ("direct", "group", "channel")


@dataclass
class Pair:
    api: Api
    alice: Person
    bob: Person
    one: Socket  # of Alice
    two: Socket  # of Bob, at another gateway
    marker: Socket  # of a third user
    conversation: int

    def block(self) -> None:
        answer = self.api.ask("PUT", f"/blocks/{self.alice.id}", self.bob)
        assert answer.status_code == 204, answer.text

    def unblock(self) -> None:
        answer = self.api.ask("DELETE", f"/blocks/{self.alice.id}", self.bob)
        assert answer.status_code == 204, answer.text

    def person(self, socket: Socket) -> Person:
        return self.alice if socket is self.one else self.bob

    def settled(self, socket: Socket) -> None:
        """All that this socket has sent to the conversation was processed."""
        uuid = socket.say_in(self.conversation, "settled")
        socket.until("an answer", lambda frame: frame.get("uuid") == uuid
                     and frame.get("state") in ("saved", "error"))

    def seen(self, socket: Socket, **members) -> list[dict]:
        """The frames with these members that the socket has received up to now."""
        socket.quiet(self.marker, new_uuid(), self.person(socket).id)
        return [frame for frame in socket.seen
                if all(frame.get(name) == value for name, value in members.items())]


@pytest.fixture(scope="module")
def elsewhere(stack: Stack):
    stack.wait_ready()
    with Service(stack, "websocket-service") as gateway:
        yield gateway


@pytest.fixture
def pair_in(api: Api, alice: Person, bob: Person, elsewhere: Service,
            enter) -> Callable[[str], Pair]:
    def pair_in(kind: str) -> Pair:
        one, two = enter(alice), enter(bob, elsewhere.ws_url)
        if kind == "direct":
            conversation = one.saved(one.say(bob.id, "hi"))["conversation"]
        else:
            conversation = make(api, alice, bob, kind=kind).id
        return Pair(api, alice, bob, one, two, enter(api.register()), conversation)
    return pair_in


# --- typing ----------------------------------------------------------------------------
def assert_typing_arrives(pair: Pair, typist: Socket, listener: Socket) -> None:
    """Repeats it, as a client does: `typing` may be lost."""
    members = {"type": "typing", "conversation": pair.conversation,
               "user": pair.person(typist).id}

    def arrives() -> bool:
        typist.typing(pair.conversation)
        return bool(listener.expect(0.5, **members))
    until(f"{members}", arrives, HANG_S)


def assert_typing_does_not_arrive(pair: Pair, typist: Socket, listener: Socket) -> None:
    typist.during(TYPING_PAUSE_S)  # so that the gateway does not ignore it as too frequent
    listener.seen.clear()
    typist.typing(pair.conversation)
    pair.settled(typist)
    assert not pair.seen(listener, type="typing")


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("typist_blocks", [True, False])
def test_typing(kind: str, typist_blocks: bool, pair_in):
    pair = pair_in(kind)
    typist, listener = (pair.two, pair.one) if typist_blocks else (pair.one, pair.two)
    assert_typing_arrives(pair, typist, listener)
    pair.block()
    pair.settled(typist)
    if kind == "direct":
        assert_typing_does_not_arrive(pair, typist, listener)
    else:
        assert_typing_arrives(pair, typist, listener)
    pair.unblock()
    pair.settled(typist)
    assert_typing_arrives(pair, typist, listener)


# --- presence --------------------------------------------------------------------------
def state_of(socket: Socket, person: Person, state: str) -> dict:
    """The next presence frame that names this state of the person."""
    frame = socket.until(
        f"user {person.id} {state}",
        lambda frame: frame["type"] == "presence" and any(
            (user["user"], user["state"]) == (person.id, state) for user in frame["users"]))
    return next(user for user in frame["users"] if user["user"] == person.id)


@pytest.mark.slow
def test_presence(pair_in, enter):
    """Alice learns nothing about Bob: neither where she has subscribed before the block, nor
    where she subscribes during it, nor when he leaves."""
    pair = pair_in("direct")
    nothing = {"user": pair.bob.id, "state": "offline"}
    pair.one.watch(pair.bob.id)
    state_of(pair.one, pair.bob, "online")
    pair.block()
    assert state_of(pair.one, pair.bob, "offline") == nothing
    later = enter(pair.alice)
    later.watch(pair.bob.id)
    assert state_of(later, pair.bob, "offline") == nothing
    # An observer who is not blocked sees that Bob leaves; Alice sees nothing new.
    observer = enter(pair.api.register())
    observer.watch(pair.bob.id)
    state_of(observer, pair.bob, "online")
    pair.two.close()
    state_of(observer, pair.bob, "offline")
    for socket in (pair.one, later):
        pair_seen = [frame for frame in
                     socket.quiet(pair.marker, new_uuid(), pair.alice.id)
                     if frame["type"] == "presence"]
        assert pair_seen == []
    pair.two = enter(pair.bob)
    state_of(observer, pair.bob, "online")
    pair.unblock()
    for socket in (pair.one, later):
        state_of(socket, pair.bob, "online")
