"""A socket sees each entry of a conversation once, and no change of members after a message that
follows it, while members come and go.

A change may overtake a message before it by milliseconds (docs/adr/0014-conversations.md): two
processes publish them.
"""

import random
import threading
from collections.abc import Callable

import pytest

from support.api import Api, Person
from support.chat import Socket, new_uuid
from support.conversations import Group, make, new_channel_name
from support.service import Service
from support.stack import Stack

PEOPLE = 6
CHANGES = 60
MESSAGES = 120


def entries_of(socket: Socket, conversation: int, last: str) -> list[dict]:
    """All entries that arrive, up to the marker with this uuid."""
    entries = []
    while True:
        frame = socket.receive_any(60)
        if frame.get("uuid") == last and frame["type"] == "message":
            return entries
        if frame["type"] in ("message", "member") and frame["conversation"] == conversation:
            entries.append(frame)


def assert_in_order(entries: list[dict]) -> None:
    seqs = [entry["seq"] for entry in entries]
    assert len(seqs) == len(set(seqs)), f"an entry came twice: {seqs}"
    for kind in ("message", "member"):
        of_kind = [entry["seq"] for entry in entries if entry["type"] == kind]
        assert of_kind == sorted(of_kind), kind
    highest = 0
    for entry in entries:
        if entry["type"] == "message":
            highest = max(highest, entry["seq"])
        else:
            assert entry["seq"] > highest, f"{entry} comes after the message {highest}"


def change_members(group: Group, owner: Person, others: list[Person], seed: int) -> None:
    """Invites, removes and renames at random, as fast as REST answers."""
    dice = random.Random(seed)
    inside: set[int] = set()
    for number in range(CHANGES):
        person = dice.choice(others)
        if dice.random() < 0.3:
            group.change(owner, name=new_channel_name(f"{seed} {number}"))
        elif person.id in inside:
            group.remove(owner, person)
            inside.discard(person.id)
        else:
            group.invite(owner, person)
            inside.add(person.id)


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


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["group", "channel"])
@pytest.mark.parametrize("seed", [1, 2])
def test_entries_arrive_in_order_and_once(kind: str, seed: int, stack: Stack, api: Api, enter):
    owner, steady, *others = [api.register() for _ in range(PEOPLE)]
    with Service(stack, "websocket-service") as elsewhere:
        # `steady` stays a member; the others come and go.
        group = make(api, owner, steady, kind=kind)
        writer = enter(steady)
        observers = {person.id: enter(person, url) for person, url in
                     [(owner, stack.ws_url), (steady, elsewhere.ws_url)] +
                     [(other, elsewhere.ws_url if n % 2 else None)
                      for n, other in enumerate(others)]}
        together(lambda: change_members(group, owner, others, seed),
                 lambda: send_messages(writer, group.id))
        marker = enter(api.register())
        for user, socket in observers.items():
            last = new_uuid()
            marker.say(user, "marker", uuid=last)
            entries = entries_of(socket, group.id, last)
            assert_in_order(entries)
            if user == steady.id:
                seqs = sorted(entry["seq"] for entry in entries)
                assert seqs == list(range(seqs[0], seqs[-1] + 1)), "an entry is missing"
