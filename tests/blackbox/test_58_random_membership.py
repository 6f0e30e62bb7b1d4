"""Users send, leave and join at random: each receives exactly the entries of their membership."""

import random
import threading
import time
from dataclasses import dataclass, field

import pytest

from support.api import Api, Person
from support.chat import Socket
from support.conversations import Group, make
from support.service import Service
from support.stack import Stack

USERS = 6
SECONDS = 8
SEED = 20261126
UNANSWERED = 20  # messages of one sender; the gateway closes a reader that falls far behind
ENTRIES = ("message", "member")


@dataclass
class Visitor:
    """A user who sends, leaves and joins again at random."""
    api: Api
    group: Group
    person: Person
    socket: Socket
    chance: random.Random
    sent: dict[str, str] = field(default_factory=dict)  # uuid -> text
    inside: bool = True
    errors: list[str] = field(default_factory=list)
    answers: dict[str, dict] = field(default_factory=dict)  # uuid -> saved, or refused

    def run(self, until: float) -> None:
        try:
            while time.monotonic() < until:
                self.step()
                self.read_answers(0.001)
                self.take_answers(UNANSWERED)
        except Exception as error:  # ends the thread; the test reports it
            self.errors.append(repr(error))

    def read_answers(self, seconds: float) -> None:
        self.answers |= {frame["uuid"]: frame for frame in self.socket.during(seconds)
                         if is_answer(frame) and "uuid" in frame}

    def take_answers(self, left: int = 0) -> None:
        """Waits until at most `left` messages have no answer."""
        deadline = time.monotonic() + 60
        while len(self.sent.keys() - self.answers.keys()) > left:
            assert time.monotonic() < deadline, "no answer"
            self.read_answers(0.05)

    def step(self) -> None:
        dice = self.chance.random()
        if dice < 0.75:
            text = f"{self.person.id}: {len(self.sent)}"
            self.sent[self.socket.say_in(self.group.id, text)] = text
        elif dice < 0.85:
            self.socket.receipt("read", self.group.id, 1_000_000)
        else:
            self.move()

    def move(self) -> None:
        below = "/leave" if self.inside else "/join"
        answer = self.group.ask("POST", below, self.person)
        assert answer.is_success, f"{below}: {answer.status_code} {answer.text}"
        self.inside = not self.inside


def spans(history: list[dict], user: int) -> list[tuple[int, int]]:
    """The first and last entry of each membership of the user."""
    found, since = [], None
    for entry in history:
        if entry["type"] != "member" or user not in entry["change"].get("users", []):
            continue
        if entry["change"]["what"] in ("created", "joined", "invited"):
            since = entry["seq"]
        elif entry["change"]["what"] in ("left", "removed"):
            found.append((since, entry["seq"]))
            since = None
    return found + ([(since, history[-1]["seq"])] if since else [])


def is_answer(frame: dict) -> bool:
    return frame["type"] in ("state", "error") and frame.get("state") != "accepted"


def check_answers(visitor: Visitor, history: list[dict]) -> None:
    """Each message was saved as history shows it, or refused as for a stranger."""
    saved_entries = {entry["uuid"]: entry for entry in history if entry["type"] == "message"}
    inside = spans(history, visitor.person.id)
    for uuid, text in visitor.sent.items():
        frame = visitor.answers[uuid]
        if frame.get("state") == "saved":
            entry = saved_entries[uuid]
            assert (entry["message"], entry["seq"]) == (text, frame["seq"])
            assert any(first <= frame["seq"] <= last for first, last in inside), \
                "saved outside the membership"
        else:
            assert frame["code"] == "unknown_conversation", frame
            assert uuid not in saved_entries


def received_outside(received: list[dict], outside: list[tuple[int, int]]) -> list[int]:
    """Entries from outside the membership that arrived between `left` and `joined`."""
    position = {frame["seq"]: at for at, frame in enumerate(received)}
    return [seq for seq, at in position.items() for left, back in outside
            if left < seq < back and position.get(left, at) < at < position.get(back, at + 1)]


def distinct_entries(frames: list[dict], conversation: int) -> list[dict]:
    """An entry may arrive twice; its seq identifies it."""
    found = {}
    for frame in frames:
        if frame["type"] in ENTRIES and frame["conversation"] == conversation:
            found.setdefault(frame["seq"], frame)
    return list(found.values())


def check_received(visitor: Visitor, history: list[dict], exact: bool) -> None:
    """In a room, a user who joins may also receive the messages sent just before: members
    of a channel see all of it."""
    user = visitor.person.id
    own = {entry["seq"] for entry in history
           if entry["type"] == "message" and entry["uuid"] in visitor.sent}
    inside = {seq for first, last in spans(history, user) for seq in range(first, last + 1)}
    entries = {entry["seq"]: entry for entry in history}
    received = distinct_entries(visitor.socket.seen, visitor.group.id)
    seqs = {frame["seq"] for frame in received}
    assert all(frame == entries[frame["seq"]] for frame in received)
    lasts = spans(history, user)
    outside = [(last, following) for (_, last), (following, _) in
               zip(lasts, [*lasts[1:], (history[-1]["seq"] + 1, 0)])]
    assert received_outside(received, outside) == [], "received entries between `left` and `joined`"
    assert not exact or seqs <= inside, "received entries from outside the membership"
    assert sorted(inside - own - seqs) == [], "lost entries"


def check_random_membership(stack: Stack, api: Api, enter, seed: int, exact: bool) -> None:
    with Service(stack, "websocket-service") as second:
        people = [api.register() for _ in range(USERS)]
        owner = api.register()
        owner_socket = enter(owner)
        sockets = [enter(person, second.ws_url if at % 2 else None)
                   for at, person in enumerate(people)]
        channel = make(api, owner, *people, kind="channel")
        visitors = [Visitor(Api(stack.url), channel, person, socket, random.Random(seed + at))
                    for at, (person, socket) in enumerate(zip(people, sockets))]
        deadline = time.monotonic() + SECONDS
        threads = [threading.Thread(target=visitor.run, args=(deadline,))
                   for visitor in visitors]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not [visitor.errors for visitor in visitors if visitor.errors]
        for visitor in visitors:
            visitor.take_answers()
        last = owner_socket.say_in(channel.id, "the last word")
        seq = owner_socket.saved(last)["seq"]
        history = api.all_messages(owner, channel.id)
        assert [entry["seq"] for entry in history] == list(range(1, seq + 1))
        for visitor in visitors:
            check_answers(visitor, history)
            # Frames that are still on the way arrive before a message sent now.
            uuid = owner_socket.say(visitor.person.id, "marker")
            visitor.socket.expect(type="message", uuid=uuid)
            check_received(visitor, history, exact)
            visitor.api.close()
        members = {owner.id} | {visitor.person.id for visitor in visitors if visitor.inside}
        assert channel.roles(owner) == {user: "owner" if user == owner.id else "member"
                                        for user in members}
        assert channel.seen_by(owner)["members"] == len(members)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [SEED, SEED + 100])
def test_each_user_of_a_small_channel_receives_the_entries_of_their_membership(seed: int, stack: Stack, api: Api, enter):
    check_random_membership(stack, api, enter, seed, True)
