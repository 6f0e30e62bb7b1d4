"""State that is not stored: typing and presence."""

import os
import re
import signal
import time

import pytest

from support.api import Api, Person
from support.chat import Socket
from support.conversations import change_of, make
from support.service import Service
from support.stack import Stack
from support.wait import HANG_S, until

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
DELIVERED_WITHIN_S = 2  # the gateway sends a change within this time
MIN_GAP_S = 5  # the gateway sends at most one change of a user in this time


# --- typing --------------------------------------------------------------------------
def assert_no_typing(socket: Socket, marker: Socket, conversation: int) -> None:
    """Asserts no typing before a message that `marker` sends now."""
    uuid = marker.say_in(conversation, "marker")
    socket.expect(type="message", uuid=uuid)
    assert not [frame for frame in socket.seen if frame["type"] == "typing"], socket.seen


def type_until_received(socket: Socket, conversation: int, by: Socket) -> dict:
    """Repeats the frame as a client does, because a single frame may get lost."""
    deadline = time.monotonic() + HANG_S
    while True:
        socket.typing(conversation)
        try:
            return by.expect(2.5, type="typing")
        except AssertionError:
            assert time.monotonic() < deadline, "the typing does not arrive"


def test_typing_reaches_the_other_members_only(api: Api, alice: Person, bob: Person, enter):
    carol, eve = api.register(), api.register()
    group = make(api, alice, bob, carol)
    one, also, two, three = (enter(person) for person in (alice, alice, bob, carol))
    outside = enter(eve)
    wanted = {"type": "typing", "conversation": group.id, "user": alice.id}
    assert type_until_received(one, group.id, two) == wanted
    assert three.expect(type="typing") == wanted
    for socket in (one, also):
        assert_no_typing(socket, two, group.id)
    outside.saved(outside.say(eve.id, "marker"))
    assert not [frame for frame in outside.seen if frame["type"] == "typing"]


def test_typing_reaches_the_user_of_a_direct_conversation(alice: Person, bob: Person, enter):
    one, two = enter(alice), enter(bob)
    conversation = one.saved(one.say(bob.id, "hi"))["conversation"]
    assert type_until_received(two, conversation, one)["user"] == bob.id


def test_typing_is_delivered_at_most_every_two_seconds(
        api: Api, alice: Person, bob: Person, enter):
    group = make(api, alice, bob)
    one, two = enter(alice), enter(bob)
    for _ in range(20):
        one.typing(group.id)
    two.expect(type="typing")
    assert_no_typing(two, one, group.id)
    deadline = time.monotonic() + HANG_S
    while True:  # a later one is delivered again
        assert time.monotonic() < deadline
        one.typing(group.id)
        try:
            two.expect(0.3, type="typing")
            break
        except AssertionError:
            continue


def test_typing_of_a_stranger_is_not_delivered(api: Api, alice: Person, bob: Person, enter):
    eve = api.register()
    group = make(api, alice, bob)
    one, two, outside = enter(alice), enter(bob), enter(eve)
    answers = []
    for conversation in (9007199254740991, group.id):
        outside.typing(conversation)
        # A refusal of the typing would arrive before the answer to the marker.
        outside.saved(outside.say(eve.id, "marker"))
        answers.append([{name: value for name, value in frame.items() if name != "conversation"}
                        for frame in outside.seen if frame["type"] == "error"])
        outside.seen.clear()
    assert answers[0] == answers[1]
    assert_no_typing(two, one, group.id)


def test_typing_of_a_former_member_is_not_delivered(api: Api, alice: Person, bob: Person, enter):
    group = make(api, alice, bob)
    one, two = enter(alice), enter(bob)
    type_until_received(one, group.id, two)
    group.remove(alice, bob)
    change_of(two, group.id, "removed")
    change_of(one, group.id, "removed")
    carol = api.register()
    three = enter(carol)
    group.invite(alice, carol)
    change_of(one, group.id, "invited")
    deadline = time.monotonic() + HANG_S
    while not [frame for frame in three.seen if frame["type"] == "typing"]:
        assert time.monotonic() < deadline, "the new member receives no typing"
        one.typing(group.id)
        three.say(carol.id, "x")
        three.seen.append(three.receive(HANG_S))
    two.typing(group.id)
    two.saved(two.say(bob.id, "marker"))
    assert not [frame for frame in two.seen if frame["type"] == "typing"]
    assert_no_typing(one, three, group.id)


@pytest.mark.alone
@pytest.mark.slow
def test_typing_needs_no_database_once_the_members_are_cached(stack: Stack, api: Api,
                                                              alice: Person, bob: Person, enter):
    group = make(api, alice, bob)
    one, two = enter(alice), enter(bob)
    one.typing(group.id)
    two.expect(type="typing")
    stack.stop("mariadb")
    try:
        deadline = time.monotonic() + HANG_S
        while True:
            assert time.monotonic() < deadline, "no typing without the database"
            one.typing(group.id)
            try:
                two.expect(0.5, type="typing")
                break
            except AssertionError:
                continue
    finally:
        stack.start("mariadb")
        stack.wait_ready()


# --- presence ------------------------------------------------------------------------
def expect_state(socket: Socket, person: Person, wanted: str, timeout_s: float = HANG_S) -> dict:
    """The next presence frame with this state of the person."""
    frame = socket.until(
        f"user {person.id} {wanted}",
        lambda frame: frame["type"] == "presence" and
        any((entry["user"], entry["state"]) == (person.id, wanted) for entry in frame["users"]),
        timeout_s)
    return next(entry for entry in frame["users"] if entry["user"] == person.id)


def test_a_presence_subscription_answers_with_all_states(api: Api, alice: Person, bob: Person,
                                                         enter):
    carol, never = api.register(), api.register()
    one = enter(alice)
    enter(bob)
    gone = enter(carol)
    one.watch(carol.id)
    expect_state(one, carol, "online")
    gone.close()
    last = expect_state(one, carol, "offline")
    assert TIME.fullmatch(last["last_seen"])
    other = enter(alice)
    other.watch(bob.id, carol.id, never.id)
    answer = other.expect(type="presence")
    assert [entry["user"] for entry in answer["users"]] == [bob.id, carol.id, never.id]
    assert [entry["state"] for entry in answer["users"]] == ["online", "offline", "offline"]
    assert "last_seen" not in answer["users"][0] and "last_seen" not in answer["users"][2]
    assert answer["users"][1]["last_seen"] == last["last_seen"]


def test_presence_changes_are_delivered_soon(api: Api, alice: Person, bob: Person, enter):
    one = enter(alice)
    one.watch(bob.id)
    assert one.expect(type="presence")["users"] == [{"user": bob.id, "state": "offline"}]
    two = enter(bob)
    expect_state(one, bob, "online")
    # The next change is sent after the pause of MIN_GAP_S.
    two.close()
    expect_state(one, bob, "offline")


def test_a_user_is_online_until_the_last_socket_closes(api: Api, alice: Person, bob: Person,
                                                       enter):
    one = enter(alice)
    first, second = enter(bob), enter(bob)
    one.watch(bob.id)
    expect_state(one, bob, "online")
    first.close()
    frames = one.during(MIN_GAP_S + DELIVERED_WITHIN_S)
    assert not [frame for frame in frames if frame["type"] == "presence"]
    second.close()
    expect_state(one, bob, "offline")


@pytest.mark.slow
def test_a_flickering_user_causes_few_changes(api: Api, alice: Person, bob: Person, enter):
    one = enter(alice)
    one.watch(bob.id)
    one.expect(type="presence")
    started = time.monotonic()
    while time.monotonic() < started + 12:
        enter(bob).close()
    last = enter(bob)
    frames = one.during(MIN_GAP_S + DELIVERED_WITHIN_S + 2)
    changes = [frame["users"][0]["state"] for frame in frames if frame["type"] == "presence"]
    took = time.monotonic() - started
    assert 1 <= len(changes) <= took / MIN_GAP_S + 1, changes
    assert changes[-1] == "online", "the last change must show the last state"
    assert last.alive()


def test_a_presence_subscription_ends(api: Api, alice: Person, bob: Person, enter):
    one = enter(alice)
    one.watch(bob.id)
    one.expect(type="presence")
    one.watch()
    other = enter(alice)
    other.watch(bob.id)
    other.expect(type="presence")
    enter(bob)
    expect_state(other, bob, "online")
    one.saved(one.say(alice.id, "marker"))
    assert not [frame for frame in one.seen if frame["type"] == "presence"]


def test_presence_subscriptions_have_a_maximum(alice: Person, enter):
    one = enter(alice)
    one.watch(*range(1, 62))
    assert one.error()["code"] == "too_many"
    for first in range(0, 480, 60):
        one.watch(*range(first + 1, first + 61))
        one.expect(type="presence")
    one.watch(*range(481, 501))
    one.expect(type="presence")
    one.watch(501)
    assert one.error()["code"] == "too_many"
    one.watch(1, 2)  # already counted
    one.expect(type="presence")
    one.watch()
    one.watch(501)
    frame = one.until("an answer", lambda frame: frame["type"] == "presence"
                      and len(frame["users"]) == 1)
    assert frame["users"][0]["user"] == 501


def test_presence_spans_two_gateways(stack: Stack, api: Api, alice: Person, bob: Person, enter):
    with Service(stack, "websocket-service") as second:
        one = enter(alice)
        two = enter(bob, second.ws_url)
        one.watch(bob.id)
        expect_state(one, bob, "online")
        here = enter(bob)  # on both gateways
        two.close()
        here.saved(here.say(bob.id, "marker"))
        here.close()
        expect_state(one, bob, "offline")


@pytest.mark.slow
def test_users_of_a_killed_gateway_become_offline(stack: Stack, api: Api, alice: Person,
                                                  bob: Person, enter):
    one = enter(alice)
    second = Service(stack, "websocket-service").start().ready()
    enter(bob, second.ws_url)
    one.watch(bob.id)
    expect_state(one, bob, "online")
    os.kill(second.child.pid, signal.SIGKILL)
    second.child.wait()
    expect_state(one, bob, "offline")
    second.said.unlink()


def test_a_user_who_blocks_appears_offline(api: Api, alice: Person, bob: Person, enter):
    one = enter(alice)
    enter(bob)
    one.watch(bob.id)
    expect_state(one, bob, "online")
    assert api.ask("PUT", f"/blocks/{alice.id}", bob).status_code == 204
    again = enter(alice)

    def looks_never_online() -> bool:
        again.watch(bob.id)
        return again.expect(type="presence")["users"][0] == {"user": bob.id, "state": "offline"}

    # The block is on its way to the gateway.
    until("bob looks as if never online", looks_never_online)
