"""Presence: sent on change, quiet when Redis or a gateway fails."""

import time
from contextlib import ExitStack
from datetime import datetime, timezone

import pytest

from support.api import Api, Person
from support.chat import Socket, open_socket
from support.own_redis import OwnRedis
from support.service import Service
from support.stack import Stack
from support.wait import HANG_S, until


def subscribe(socket: Socket, *people: Person) -> dict[int, dict]:
    socket.send({"type": "presence", "users": [person.id for person in people]})
    frame = socket.expect(type="presence")
    assert [user["user"] for user in frame["users"]] == [person.id for person in people]
    return {user["user"]: user for user in frame["users"]}


def next_presence(socket: Socket, person: Person, timeout_s: float = HANG_S) -> dict:
    users = socket.expect(timeout_s, type="presence")["users"]
    assert [user["user"] for user in users] == [person.id]
    return users[0]


def presence_frames(socket: Socket, seconds: float) -> list[dict]:
    """Presence frames that arrive within this time."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        try:
            socket.seen.append(socket.receive(left))
        except TimeoutError:
            break
    return [frame for frame in socket.seen if frame["type"] == "presence"]


@pytest.mark.slow
def test_presence_follows_connects_and_disconnects(stack: Stack, api: Api, alice: Person,
                                                   bob: Person):
    carol = api.register()
    with open_socket(stack.ws_url, alice) as subscriber, \
            Service(stack, "websocket-service") as elsewhere:
        seen = subscribe(subscriber, alice, bob, carol)
        assert seen[alice.id] == {"user": alice.id, "state": "online"}
        assert seen[bob.id] == {"user": bob.id, "state": "offline"}
        with open_socket(elsewhere.ws_url, bob):
            assert next_presence(subscriber, bob) == {"user": bob.id, "state": "online"}
            came = datetime.now(timezone.utc)
            time.sleep(5)
        gone = next_presence(subscriber, bob)
        assert gone["state"] == "offline"
        last_seen = datetime.fromisoformat(gone["last_seen"])
        assert came <= last_seen <= datetime.now(timezone.utc)
        with open_socket(stack.ws_url, carol):
            assert next_presence(subscriber, carol)["state"] == "online"
        subscriber.send({"type": "presence", "users": []})
        assert not presence_frames(subscriber, 8), "the subscription has ended"


def test_the_second_socket_of_a_user_changes_nothing(stack: Stack, alice: Person, bob: Person):
    with open_socket(stack.ws_url, alice) as subscriber, open_socket(stack.ws_url, bob), \
            Service(stack, "websocket-service") as elsewhere:
        assert subscribe(subscriber, bob)[bob.id]["state"] == "online"
        with open_socket(stack.ws_url, bob), open_socket(elsewhere.ws_url, bob):
            pass
        assert not presence_frames(subscriber, 4)


def test_too_many_users_are_refused(stack: Stack, alice: Person):
    with open_socket(stack.ws_url, alice) as subscriber:
        subscriber.send({"type": "presence", "users": list(range(1, 62))})
        subscriber.expect(type="error", code="too_many")
        for first in range(1, 501, 50):
            subscriber.send({"type": "presence", "users": list(range(first, first + 50))})
            assert len(subscriber.expect(type="presence")["users"]) == 50
        subscriber.send({"type": "presence", "users": [501]})
        subscriber.expect(type="error", code="too_many")


def test_a_gateway_restart_causes_no_offline_changes(stack: Stack, alice: Person, bob: Person):
    with open_socket(stack.ws_url, alice) as subscriber:
        with Service(stack, "websocket-service") as first:
            socket = open_socket(first.ws_url, bob)
            until("bob is online",
                  lambda: subscribe(subscriber, bob)[bob.id]["state"] == "online")
            assert first.stop() == 0
            socket.close()
        with Service(stack, "websocket-service") as second, open_socket(second.ws_url, bob):
            assert not presence_frames(subscriber, 6)


@pytest.mark.slow
def test_users_of_a_dead_gateway_are_offline_within_thirty_seconds(
        stack: Stack, alice: Person, bob: Person):
    with open_socket(stack.ws_url, alice) as subscriber:
        with Service(stack, "websocket-service") as gateway:
            open_socket(gateway.ws_url, bob)
            until("bob is online",
                  lambda: subscribe(subscriber, bob)[bob.id]["state"] == "online")
            gateway.child.kill()
            gateway.child.wait()
        assert next_presence(subscriber, bob)["state"] == "offline"


@pytest.mark.slow
def test_losing_redis_or_its_data_causes_no_burst_of_changes(stack: Stack, api: Api):
    """Sockets stay open, messages arrive, and nobody looks offline."""
    with OwnRedis(stack) as redis, \
            Service(stack, "websocket-service", **redis.settings()) as gateway, \
            ExitStack() as opened:
        people = [api.register() for _ in range(20)]
        sockets = [opened.enter_context(open_socket(gateway.ws_url, person)) for person in people]
        subscriber = opened.enter_context(open_socket(gateway.ws_url, api.register()))
        until("all are online", lambda: {
            user["state"] for user in subscribe(subscriber, *people).values()} == {"online"})
        subscriber.seen.clear()
        with redis.admin() as admin:
            admin.flushall()
        assert not presence_frames(subscriber, 13)
        redis.stop()
        subscriber.send({"type": "presence", "users": [people[0].id]})
        subscriber.expect(type="error", code="unavailable", retryable=True)
        uuid = sockets[0].say(people[1].id, "without redis")
        sockets[1].expect(type="message", uuid=uuid)
        redis.start()
        assert not presence_frames(subscriber, 15)
        assert subscribe(subscriber, people[0])[people[0].id]["state"] == "online"
        sockets.pop().close()
        assert next_presence(subscriber, people.pop())["state"] == "offline"
