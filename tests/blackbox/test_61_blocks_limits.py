"""Blocks, rate limits and other limits of a user."""

import time

import pytest

from support.api import Api, Person, check_problem
from support.apart import Apart
from support.chat import open_socket
from support.conversations import make
from support.service import Service
from support.stack import Stack
from support.stores import rows
from support.wait import HANG_S

ABSENT = 9007199254740991


# --- blocks --------------------------------------------------------------------------
def block(api: Api, person: Person, other: int) -> None:
    assert api.ask("PUT", f"/blocks/{other}", person).status_code == 204


def unblock(api: Api, person: Person, other: int) -> None:
    assert api.ask("DELETE", f"/blocks/{other}", person).status_code == 204


def blocked(api: Api, person: Person) -> list[int]:
    return sorted(entry["user"] for entry in api.get("/blocks", person)["blocks"])


def test_blocks_are_listed_and_removed(api: Api, alice: Person, bob: Person):
    carol = api.register()
    assert blocked(api, alice) == []
    for _ in range(2):  # the repetition changes nothing
        block(api, alice, bob.id)
    block(api, alice, carol.id)
    assert blocked(api, alice) == sorted([bob.id, carol.id])
    assert blocked(api, bob) == []
    for _ in range(2):
        unblock(api, alice, bob.id)
    assert blocked(api, alice) == [carol.id]


@pytest.mark.parametrize("user", ["0", "x", "-1", "007", "1.0", "9007199254740992", ""])
def test_a_path_without_a_user_id_is_not_found(user: str, api: Api, alice: Person):
    for method in ("PUT", "DELETE"):
        check_problem(api.ask(method, f"/blocks/{user}", alice), 404)


def test_blocking_an_absent_user_is_not_found(api: Api, alice: Person):
    check_problem(api.ask("PUT", f"/blocks/{ABSENT}", alice), 404)
    assert blocked(api, alice) == []
    # Unblocking needs no user: a block of a user who is gone can be taken away.
    unblock(api, alice, ABSENT)


def test_a_blocked_users_send_is_refused_as_unknown_user(api: Api, alice: Person, bob: Person,
                                                         enter):
    one, two = enter(alice), enter(bob)
    two.saved(two.say(alice.id, "before"))
    block(api, alice, bob.id)
    refusals = []
    for user in (ABSENT, alice.id):
        uuid = two.say(user, "after")
        refusal = two.refused(uuid, "unknown_user")
        refusals.append({name: value for name, value in refusal.items() if name != "uuid"})
    assert refusals[0] == refusals[1]
    one.saved(one.say(alice.id, "marker"))
    assert not [frame for frame in one.seen if frame.get("message") == "after"]


def test_a_block_keeps_an_existing_conversation(api: Api, alice: Person, bob: Person, enter):
    one, two = enter(alice), enter(bob)
    first = two.say(alice.id, "before")
    saved = two.saved(first)
    conversation = saved["conversation"]
    block(api, alice, bob.id)
    for person in (alice, bob):
        assert [entry["message"] for entry in api.all_messages(person, conversation)] == \
            ["before"]
    # Nor may the send name the conversation.
    two.refused(two.say_in(conversation, "after"), "unknown_user")
    # A saved message stays saved: the same uuid gets the same answer.
    two.say(alice.id, "before", uuid=first)
    assert two.saved(first) == saved
    # The user who blocks cannot write either, until the block is gone.
    uuid = one.say(bob.id, "you are blocked")
    one.refused(uuid, "not_allowed")
    unblock(api, alice, bob.id)
    one.say(bob.id, "you were blocked", uuid=uuid)
    assert one.saved(uuid)["seq"] == 2
    two.expect(type="message", uuid=uuid)
    uuid = two.say(alice.id, "again")
    assert two.saved(uuid)["seq"] == 3
    one.expect(type="message", uuid=uuid)


def test_a_blocked_user_cannot_start_a_conversation(api: Api, alice: Person, bob: Person,
                                                    enter):
    block(api, alice, bob.id)
    two = enter(bob)
    two.refused(two.say(alice.id, "let me in"), "unknown_user")
    for person in (alice, bob):
        assert api.conversations(person)["conversations"] == []


def test_repeated_blocks_and_unblocks_take_effect(api: Api, alice: Person, bob: Person, enter):
    """Cached state of the pair follows the change."""
    two = enter(bob)
    for number in range(5):
        two.saved(two.say(alice.id, f"n{number}"))
        block(api, alice, bob.id)
        two.refused(two.say(alice.id, f"x{number}"), "unknown_user")
        unblock(api, alice, bob.id)


def test_blocking_oneself_changes_nothing(api: Api, alice: Person, enter):
    check_problem(api.ask("PUT", f"/blocks/{alice.id}", alice), 422)
    one = enter(alice)
    one.saved(one.say(alice.id, "note to self"))


def test_a_block_survives_a_restart(stack: Stack, alice: Person, bob: Person, enter):
    with Apart(stack) as parts:
        two = enter(bob, parts.ws_url)
        two.saved(two.say(alice.id, "before"))
        block(parts.api(), alice, bob.id)
        assert parts.persistence.stop() == 0
        parts.persistence.start()
        uuid = two.say(alice.id, "after")
        frame = two.until("an answer", lambda frame: frame.get("uuid") == uuid and
                          frame.get("state") != "accepted")
        assert frame.get("code") == "unknown_user", frame
    assert rows(stack, "SELECT blocked FROM blocks WHERE user = %s", (alice.id,)) == [(bob.id,)]


# --- the rate limit of frames, by user -----------------------------------------------
@pytest.fixture
def gateway(stack: Stack, api: Api):
    with Service(stack, "websocket-service", WEBSOCKET_USER_RATE="2",
                 WEBSOCKET_USER_BURST="5") as gateway:
        yield gateway


def test_a_user_over_the_rate_limit_gets_too_fast(gateway: Service, alice: Person, bob: Person):
    with open_socket(gateway.ws_url, alice) as one, open_socket(gateway.ws_url, alice) as other:
        uuids = [one.say(bob.id, f"n{number}") for number in range(8)]
        refused = one.until("a refusal", lambda frame: frame.get("code") == "too_fast")
        assert refused["retryable"] is True and refused["uuid"] in uuids
        # The limit is per user: another socket shares it.
        other.say(bob.id, "other")
        assert other.error()["code"] == "too_fast"
        # After a pause the gateway accepts the same uuids.
        waiting = set(uuids)
        deadline = time.monotonic() + HANG_S
        for frame in [frame for frame in one.seen if frame.get("state") == "saved"]:
            waiting.discard(frame["uuid"])
        while waiting:
            assert time.monotonic() < deadline
            one.during(1)
            waiting -= {frame["uuid"] for frame in one.seen if frame.get("state") == "saved"}
            for uuid in sorted(waiting)[:1]:
                one.say(bob.id, "again", uuid=uuid)


def test_a_user_far_over_the_rate_limit_is_closed_with_4429(gateway: Service, alice: Person,
                                                            bob: Person):
    with open_socket(gateway.ws_url, alice) as one, open_socket(gateway.ws_url, bob) as two:
        try:
            for number in range(5000):
                one.say(bob.id, f"n{number}")
        except Exception:  # the gateway closed while we sent
            pass
        code, _ = one.closed()
        assert code == 4429
        two.saved(two.say(bob.id, "other users are not affected"))
    with open_socket(gateway.ws_url, alice):
        pass  # the user may reconnect


def test_every_kind_of_frame_counts_against_the_rate_limit(gateway: Service, api: Api,
                                                           alice: Person):
    group = make(api, alice)
    with open_socket(gateway.ws_url, alice) as one:
        for number in range(30):
            one.receipt("read", group.id, 1)
        assert one.error()["code"] == "too_fast"


def test_pings_do_not_count_against_the_rate_limit(gateway: Service, alice: Person, bob: Person):
    with open_socket(gateway.ws_url, alice) as one:
        for _ in range(15):
            assert one.alive()
        one.saved(one.say(bob.id, "still allowed"))


# --- the rate limit of REST requests, by user ----------------------------------------
def test_a_user_over_the_rate_limit_gets_429(stack: Stack, api: Api, alice: Person, bob: Person):
    with Service(stack, "persistence-service", PERSISTENCE_USER_RATE="1",
                 PERSISTENCE_USER_BURST="5") as service:
        small = Api(service.url)
        answers = [small.ask("GET", "/conversations", alice) for _ in range(20)]
        codes = [answer.status_code for answer in answers]
        assert codes[:5] == [200] * 5
        assert codes.count(429) >= 10
        refused = next(answer for answer in answers if answer.status_code == 429)
        check_problem(refused, 429)
        wait_s = int(refused.headers["Retry-After"])
        # Another user is not affected; a bad token still gets 401.
        assert small.ask("GET", "/conversations", bob).status_code == 200
        check_problem(small.ask("GET", "/conversations"), 401)
        deadline = time.monotonic() + wait_s + HANG_S
        while small.ask("GET", "/conversations", alice).status_code == 429:
            assert time.monotonic() < deadline, "the limit does not refill"
        small.close()


# --- maximum of groups ---------------------------------------------------------------
def test_the_number_of_groups_of_a_user_has_a_maximum(stack: Stack, api: Api, alice: Person,
                                                      bob: Person):
    with Service(stack, "persistence-service", CONVERSATIONS_MAX="3", MEMBERS_MAX="3",
                 INVITES_MAX="2", BLOCKS_MAX="2") as service:
        small = Api(service.url)
        carol, dave = api.register(), api.register()
        groups = [make(small, alice, bob) for _ in range(3)]
        body = {"kind": "group", "name": "one too many", "users": []}
        check_problem(small.ask("POST", "/conversations", alice, json=body), 422)
        # Nor can others add the user to more.
        check_problem(small.ask("POST", "/conversations", carol,
                                json=body | {"users": [alice.id]}), 422)
        groups[0].leave(alice)
        fourth = make(small, alice, carol)
        fourth.invite(alice, dave)
        eve = api.register()
        check_problem(fourth.ask("POST", "/members", alice, json={"users": [eve.id]}), 422)
        users = [api.register().id for _ in range(3)]
        check_problem(groups[1].ask("POST", "/members", alice, json={"users": users}), 422)
        for other in users[:2]:
            block(small, alice, other)
        check_problem(small.ask("PUT", f"/blocks/{users[2]}", alice), 422)
        small.close()
