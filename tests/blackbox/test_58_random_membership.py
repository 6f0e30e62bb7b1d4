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
UNANSWERED = 20  # of one sender; the gateway closes a reader that falls far behind
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
    trouble: list[str] = field(default_factory=list)
    answers: dict[str, dict] = field(default_factory=dict)  # uuid -> saved, or refused

    def run(self, until: float) -> None:
        try:
            while time.monotonic() < until:
                self.step()
                self.hear(0.001)
                self.take_answers(UNANSWERED)
        except Exception as error:  # of the thread; the test reports it
            self.trouble.append(repr(error))

    def hear(self, seconds: float) -> None:
        self.answers |= {frame["uuid"]: frame for frame in self.socket.during(seconds)
                         if is_answer(frame) and "uuid" in frame}

    def take_answers(self, left: int = 0) -> None:
        """Waits until at most `left` messages have no answer."""
        deadline = time.monotonic() + 60
        while len(self.sent.keys() - self.answers.keys()) > left:
            assert time.monotonic() < deadline, "no answer"
            self.hear(0.05)

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
    there = {entry["uuid"]: entry for entry in history if entry["type"] == "message"}
    inside = spans(history, visitor.person.id)
    for uuid, text in visitor.sent.items():
        frame = visitor.answers[uuid]
        if frame.get("state") == "saved":
            assert (there[uuid]["message"], there[uuid]["seq"]) == (text, frame["seq"])
            assert any(first <= frame["seq"] <= last for first, last in inside), \
                "written from outside"
        else:
            assert frame["code"] == "unknown_conversation", frame
            assert uuid not in there


def told_too_much(heard: list[dict], outside: list[tuple[int, int]]) -> list[int]:
    """Entries from outside the membership that arrived between `left` and `joined`."""
    place = {frame["seq"]: at for at, frame in enumerate(heard)}
    return [seq for seq, at in place.items() for left, back in outside
            if left < seq < back and place.get(left, at) < at < place.get(back, at + 1)]


def said_at_the_end(history: list[dict], lasts: list[tuple[int, int]],
                    heard: set[int]) -> set[int]:
    """Messages saved just before the user left and overtaken by the `left` frame: after
    that frame nothing arrives, neither old nor new."""
    messages = {entry["seq"] for entry in history if entry["type"] == "message"}
    found: set[int] = set()
    for first, last in lasts:
        told = max((seq for seq in heard & messages if first <= seq <= last), default=first)
        if last in heard and last not in messages:
            found |= set(range(told + 1, last + 1))
    return found


def first_ones(frames: list[dict], conversation: int) -> list[dict]:
    """An entry may arrive twice; its seq identifies it."""
    found = {}
    for frame in frames:
        if frame["type"] in ENTRIES and frame["conversation"] == conversation:
            found.setdefault(frame["seq"], frame)
    return list(found.values())


def check_heard(visitor: Visitor, history: list[dict], exact: bool) -> None:
    """In a room, a user who joins may also receive the messages sent just before (members
    of a channel see all of it), and a REST change may overtake messages by milliseconds."""
    user = visitor.person.id
    own = {entry["seq"] for entry in history
           if entry["type"] == "message" and entry["uuid"] in visitor.sent}
    inside = {seq for first, last in spans(history, user) for seq in range(first, last + 1)}
    entries = {entry["seq"]: entry for entry in history}
    heard = first_ones(visitor.socket.seen, visitor.group.id)
    seqs = {frame["seq"] for frame in heard}
    assert all(frame == entries[frame["seq"]] for frame in heard)
    lasts = spans(history, user)
    outside = [(last, following) for (_, last), (following, _) in
               zip(lasts, [*lasts[1:], (history[-1]["seq"] + 1, 0)])]
    assert told_too_much(heard, outside) == [], "told that one is out, and then more"
    assert not exact or seqs <= inside, "heard of what was not theirs"
    lost = inside - own - seqs
    if not exact:
        lost -= said_at_the_end(history, lasts, seqs - own)
    assert sorted(lost) == [], "did not hear"


def come_and_go(stack: Stack, api: Api, enter, seed: int, exact: bool) -> None:
    with Service(stack, "websocket-service") as second:
        people = [api.register() for _ in range(USERS)]
        owner = api.register()
        watching = enter(owner)
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
        assert not [visitor.trouble for visitor in visitors if visitor.trouble]
        for visitor in visitors:
            visitor.take_answers()
        last = watching.say_in(channel.id, "the last word")
        seq = watching.saved(last)["seq"]
        history = api.all_messages(owner, channel.id)
        assert [entry["seq"] for entry in history] == list(range(1, seq + 1))
        for visitor in visitors:
            check_answers(visitor, history)
            # Frames that are still on the way arrive before a message sent now.
            uuid = watching.say(visitor.person.id, "marker")
            visitor.socket.expect(type="message", uuid=uuid)
            check_heard(visitor, history, exact)
            visitor.api.close()
        members = {owner.id} | {visitor.person.id for visitor in visitors if visitor.inside}
        assert channel.roles(owner) == {user: "owner" if user == owner.id else "member"
                                        for user in members}
        assert channel.seen_by(owner)["members"] == len(members)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [SEED, SEED + 100])
def test_random_joins_and_leaves_of_a_small_channel(seed: int, stack: Stack, api: Api, enter):
    come_and_go(stack, api, enter, seed, True)
