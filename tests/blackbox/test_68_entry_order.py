"""A socket sees each entry of a conversation once, and in the order of seq, while members come and
go and others write (docs/adr/0026-order-of-membership-changes.md).

The changes are made over the REST of two persistence processes. Each conversation is owned by one
of them, so about half of the changes are made in the process that does not publish them.
"""

import random
import threading
from collections.abc import Callable, Iterator

import pytest

from support.api import Api, Person
from support.chat import Socket, new_uuid
from support.conversations import Group, make, new_channel_name
from support.parts import Parts, parts_of
from support.stack import Stack

CHANGES = 60
MESSAGES = 120
VISITORS = 4
WAIT_S = 60


# An event names its recipients, or a conversation of four members is a room.
SIZES = {"listed": {}, "rooms": {"FANOUT_LIST_MAX": "3"}}


@pytest.fixture(scope="module", params=SIZES)
def parts(stack: Stack, request: pytest.FixtureRequest) -> Iterator[Parts]:
    """One size at a time: each has many services."""
    with parts_of(stack, f"order_{request.param}", **SIZES[request.param]) as parts:
        yield parts


def must(rest: Api, method: str, path: str, person: Person, **options) -> None:
    """Repeats a change while the database is too busy for it. It may have been done all the
    same, and is then refused."""
    answer = rest.ask(method, path, person, **options)
    done = answer.is_success
    while answer.status_code == 503:
        answer = rest.ask(method, path, person, **options)
        done = answer.is_success or answer.status_code in (404, 409)
    assert done, answer.text


class Visitor:
    """A user who comes and goes, by itself or by the owner."""
    def __init__(self, person: Person):
        self.person = person
        self.inside = False

    def move(self, group: Group, rest: Api, owner: Person, own_will: bool) -> None:
        path, person = group.path, self.person
        if own_will:
            must(rest, "POST", path + ("/leave" if self.inside else "/join"), person)
        elif self.inside:
            must(rest, "DELETE", f"{path}/members/{person.id}", owner)
        else:
            must(rest, "POST", f"{path}/members", owner, json={"users": [person.id]})
        self.inside = not self.inside


def change_members(group: Group, rest: Api, owner: Person, visitors: list[Visitor],
                   seed: str) -> None:
    """At random, as fast as REST answers."""
    dice = random.Random(seed)
    for number in range(CHANGES):
        if dice.random() < 0.3:
            name = new_channel_name(f"{seed} {number}")
            must(rest, "PATCH", group.path, owner, json={"name": name})
            continue
        visitor = dice.choice(visitors)
        # A user cannot join a group.
        own_will = dice.random() < 0.5 and (visitor.inside or group.made["kind"] == "channel")
        visitor.move(group, rest, owner, own_will)


def send_messages(socket: Socket, conversation: int) -> None:
    for number in range(MESSAGES):
        socket.say_in(conversation, f"n{number}")


def together(*calls: Callable[[], None]) -> None:
    failures: list[BaseException] = []

    def run(call: Callable[[], None]) -> None:
        try:
            call()
        except BaseException as failure:
            failures.append(failure)
    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def entries_until(socket: Socket, conversation: int, last: set[str], marker: str) -> list[dict]:
    """All entries, until a message of `last`, which everyone sees, and then the marker."""
    entries, waiting = [], {marker, *last}
    while waiting:
        frame = socket.receive_any(WAIT_S)
        if frame["type"] in ("message", "member"):
            waiting.discard(frame["uuid"])
            if frame["conversation"] == conversation:
                entries.append(frame)
    return entries


def assert_in_order(entries: list[dict], who: str) -> None:
    highest = 0
    for entry in entries:
        assert entry["seq"] > highest, f"{who}: {entry} comes after seq {highest}"
        highest = entry["seq"]


class Scene:
    """A conversation: two users who stay, with sockets at both gateways, and visitors."""
    def __init__(self, parts: Parts, api: Api, enter, kind: str):
        self.owner, self.steady = api.register(), api.register()
        self.visitors = [Visitor(api.register()) for _ in range(VISITORS)]
        self.group = make(parts.rest[0], self.owner, self.steady, kind=kind)
        urls = [gateway.ws_url for gateway in parts.gateways]
        self.writers = [enter(person, url)
                        for person, url in zip((self.owner, self.steady), urls)]
        self.observers = [(person, enter(person, url))
                          for person in (self.owner, self.steady) for url in urls]
        self.observers += [(visitor.person, enter(visitor.person, urls[n % 2]))
                           for n, visitor in enumerate(self.visitors)]
        self.marker = enter(api.register(), urls[0])

    def act(self, rest: list[Api], seed: int) -> None:
        half = VISITORS // 2
        together(*(lambda n=n: change_members(
                       self.group, rest[n], self.owner, self.visitors[n * half:(n + 1) * half],
                       f"{seed} {n}") for n in range(2)),
                 *(lambda writer=writer: send_messages(writer, self.group.id)
                   for writer in self.writers))

    def end(self, rest: Api) -> set[str]:
        """Everyone is in again, and gets the message of one of the two who stay."""
        for visitor in self.visitors:
            if not visitor.inside:
                visitor.move(self.group, rest, self.owner, False)
        # Behind all that the writers have sent.
        return {writer.say_in(self.group.id, "last") for writer in self.writers}

    def judge(self, last: set[str]) -> None:
        own = {self.owner.id: [], self.steady.id: []}
        for person, socket in self.observers:
            uuid = new_uuid()
            self.marker.say(person.id, "marker", uuid=uuid)
            entries = entries_until(socket, self.group.id, last, uuid)
            assert_in_order(entries, f"user {person.id}")
            if person.id in own:
                seqs = [entry["seq"] for entry in entries]
                assert seqs == list(range(seqs[0], seqs[-1] + 1)), "an entry is missing"


@pytest.mark.prove
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["group", "channel"])
@pytest.mark.parametrize("seed", [1, 2])
def test_entries_arrive_in_order_and_once(kind: str, seed: int, parts: Parts, api: Api, enter):
    scene = Scene(parts, api, enter, kind)
    scene.act(parts.rest, seed)
    scene.judge(scene.end(parts.rest[1]))
