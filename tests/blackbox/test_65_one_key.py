"""One key for a conversation: its order and its blocks, whichever way a client names it.

The conversation of a pair, named by id, and the pair, named by user, would lie in the
partitions of different processes in half of the cases: so several pairs are tried.
"""

from collections.abc import Iterator

import pytest

from support.api import Api, Person
from support.chat import Socket, new_uuid
from support.parts import Parts, parts_of
from support.stack import Stack
from support.stores import records

PAIRS = 6
BURST = 120


@pytest.fixture(scope="module")
def parts(stack: Stack) -> Iterator[Parts]:
    with parts_of(stack, "one_key") as parts:
        yield parts


def begin(socket: Socket, other: Person) -> int:
    """The new conversation with that user."""
    return socket.saved(socket.say(other.id, "first"))["conversation"]


def burst(socket: Socket, other: Person, conversation: int, by_user_first: bool) -> list[str]:
    """Alternates the two ways to name the conversation; returns the uuids in order."""
    uuids = [new_uuid() for _ in range(BURST)]
    for number, uuid in enumerate(uuids):
        if (number % 2 == 0) == by_user_first:
            socket.say(other.id, f"n{number}", uuid=uuid)
        else:
            socket.say_in(conversation, f"n{number}", uuid=uuid)
    return uuids


def assert_saved_in_order(socket: Socket, uuids: list[str]) -> None:
    seqs = [socket.saved(uuid)["seq"] for uuid in uuids]
    assert seqs == sorted(seqs)


@pytest.mark.parametrize("by_user_first", [True, False])
def test_one_socket_is_saved_in_its_order(by_user_first: bool, parts: Parts, api: Api, enter):
    for _ in range(PAIRS):
        alice, bob = api.register(), api.register()
        conversation = begin(enter(alice, parts.gateways[0].ws_url), bob)
        # The other gateway has not seen the conversation yet.
        one = enter(alice, parts.gateways[1].ws_url)
        assert_saved_in_order(one, burst(one, bob, conversation, by_user_first))


def test_two_sockets_are_saved_each_in_its_order(parts: Parts, api: Api, enter):
    for _ in range(PAIRS):
        alice, bob = api.register(), api.register()
        one, two = (enter(alice, gateway.ws_url) for gateway in parts.gateways)
        conversation = begin(one, bob)
        sent = [(socket, burst(socket, bob, conversation, socket is one))
                for socket in (one, two)]
        for socket, uuids in sent:
            assert_saved_in_order(socket, uuids)
        assert parts.rest[0].conversation(alice, conversation)["last_seq"] == 1 + 2 * BURST


def test_a_recipient_who_is_looked_up_is_not_overtaken(parts: Parts, api: Api, enter):
    """Bob has no socket: the gateway asks identity for him while more messages arrive."""
    for _ in range(PAIRS):
        alice, bob = api.register(), api.register()
        one = enter(alice, parts.gateways[0].ws_url)
        uuids = [one.say(bob.id, f"n{number}") for number in range(BURST)]
        assert_saved_in_order(one, uuids)


@pytest.mark.parametrize("owner", [0, 1])
def test_a_block_holds_both_ways(owner: int, parts: Parts, api: Api, enter):
    for _ in range(PAIRS):
        alice, bob = api.register(), api.register()
        sockets = [enter(alice, gateway.ws_url) for gateway in parts.gateways]
        conversation = begin(sockets[0], bob)
        for _ in range(2):
            for socket in sockets:  # whoever owns the conversation caches "not blocked"
                socket.saved(socket.say(bob.id, "by user"))
                socket.saved(socket.say_in(conversation, "by id"))
            assert parts.rest[owner].ask("PUT", f"/blocks/{alice.id}", bob).status_code == 204
            for socket in sockets:
                socket.refused(socket.say(bob.id, "blocked"), "unknown_user")
                socket.refused(socket.say_in(conversation, "blocked"), "unknown_user")
            assert parts.rest[owner].ask("DELETE", f"/blocks/{alice.id}", bob).status_code == 204
        texts = {entry["message"] for entry in parts.rest[0].all_messages(alice, conversation)}
        assert texts == {"first", "by user", "by id"}


def test_each_record_of_a_pair_has_the_key_of_the_pair(parts: Parts, stack: Stack, api: Api,
                                                       enter):
    alice, bob = api.register(), api.register()
    one = enter(alice, parts.gateways[0].ws_url)
    conversation = begin(one, bob)
    two = enter(bob, parts.gateways[1].ws_url)
    two.receipt("delivered", conversation, 1)
    two.receipt("read", conversation, 1)
    two.typing(conversation)
    two.saved(two.say_in(conversation, "by id"))
    two.saved(two.change("edit", conversation, 2, message="by id!"))
    two.saved(two.change("react", conversation, 2, reaction="👍"))
    two.saved(two.change("delete", conversation, 2))
    kinds = {"delivered", "read", "roster", "message", "edit", "react", "delete"}
    found = records(stack, parts.topic,
                    lambda record: record.json()["sender"] == bob.id
                    and record.json()["kind"] in kinds, len(kinds))
    assert {record.json()["kind"] for record in found} == kinds
    low, high = sorted((alice.id, bob.id))
    assert {record.key for record in found} == {f"d:{low}:{high}"}


def test_a_stranger_is_no_member(parts: Parts, api: Api, alice: Person, bob: Person, enter):
    conversation = begin(enter(alice, parts.gateways[0].ws_url), bob)
    for gateway in parts.gateways:
        mallory = enter(api.register(), gateway.ws_url)
        for _ in range(2):  # unknown to the gateway, then known
            mallory.refused(mallory.say_in(conversation, "hi"), "unknown_conversation")
            mallory.refused(mallory.change("react", conversation, 1, reaction="👍"),
                            "unknown_conversation")
            mallory.receipt("read", conversation, 1)
            assert mallory.error()["code"] == "unknown_conversation"
