"""No turn of a gateway's loop takes long, whatever users make large. Every gateway under test is
measured (support.turns); these tests make something large on purpose."""

import json
import os
import signal
import struct
from collections.abc import Callable
from socket import SO_LINGER, SOL_SOCKET

import pytest

from support.api import Api, Person
from support.chat import Socket, new_uuid, open_socket
from support.lone_gateway import LoneGateway
from support.partition import event_partition
from support.raw import RawSocket
from support.stack import PARTITIONS, Stack
from support.turns import TURN_MAX_MS
from support.wait import until

CROWD = 60000  # as many as one answer can name
ROOM = 1700
SOCKETS = 1500  # more than one step serves
CONNECTS = 2000
CLOSES = 500  # at once


def question(lone: LoneGateway, person: Person):
    return lone.saves(lambda save: save["kind"] == "rooms" and
                      str(person.id) in save["users"].split(","))[-1]


def barrier(lone: LoneGateway, socket: Socket, user: int) -> None:
    mark = new_uuid()
    lone.to_user(user, {"type": "mark", "uuid": mark})
    socket.expect(type="mark", uuid=mark)


def many_block_one(lone: LoneGateway, person: Person, socket: Socket) -> None:
    blockers = ",".join(str(10_000_000 + number) for number in range(CROWD))
    lone.answer_rooms(question(lone, person), f"{person.id}=;{blockers}")


def many_change_their_blocks(lone: LoneGateway, person: Person, socket: Socket) -> None:
    """One after the other, after the crowd has blocked as well."""
    many_block_one(lone, person, socket)
    for number in range(2000):
        sign = "+-"[number % 2]
        lone.producer.produce(lone.events, key=str(person.id), value=b"",
                              partition=event_partition(person.id),
                              headers=[("blocker", f"{sign}{number // 2 + 1}".encode())])
        lone.producer.poll(0)
    lone.producer.flush()


def members_come_and_go(lone: LoneGateway, person: Person, socket: Socket) -> None:
    for number in range(2000):
        sign = "+-"[number % 2]
        for partition in range(PARTITIONS):
            lone.producer.produce(
                lone.events, key=f"c:{ROOM}", partition=partition,
                value=json.dumps({"type": "made-up"}).encode(),
                headers=[("room", f"{ROOM}:{number + 1}:{sign}{person.id}".encode())])
        lone.producer.poll(0)
    lone.producer.flush()


def close_in_groups(lone: LoneGateway, raws: list[RawSocket]) -> None:
    """libwebsockets 4.1 reads a table of all files at each close (docs/operations.md)."""
    for first in range(0, len(raws), CLOSES):
        for raw in raws[first:first + CLOSES]:
            raw.tcp.close()
        left = len(raws) - first - CLOSES
        until("they are closed", lambda: lone.gateway.metric("parley_sockets") <= left + 10)


def one_user_has_many_sockets(lone: LoneGateway, person: Person, socket: Socket) -> None:
    """Each gets what is sent to the user; then the client is killed."""
    raws = [RawSocket(lone.ws_url) for _ in range(SOCKETS)]
    try:
        for raw in raws:
            assert raw.upgrade(person.token).status == 101
        lone.answer_rooms(question(lone, person), f"{person.id}=")
        mark = new_uuid()
        lone.to_user(person.id, {"type": "mark", "uuid": mark, "text": "x" * 4000})
        for raw in raws:
            while mark.encode() not in raw.buffer:
                raw.fill()
    finally:
        for raw in raws:  # resets, as of a process that is killed
            raw.tcp.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
        close_in_groups(lone, raws)


def connect_at_once(lone: LoneGateway, person: Person) -> list[RawSocket]:
    """All connections, with their upgrade requests, wait when the gateway looks."""
    os.kill(lone.gateway.child.pid, signal.SIGSTOP)
    try:
        raws = [RawSocket(lone.ws_url) for _ in range(CONNECTS)]
        for raw in raws:
            raw.send_upgrade(person.token)
    finally:
        os.kill(lone.gateway.child.pid, signal.SIGCONT)
    for raw in raws:
        assert raw.answer().status == 101
    return raws


def very_many_are_silent_at_once(lone: LoneGateway, person: Person, socket: Socket) -> None:
    """They answer no ping; `socket` does."""
    raws = connect_at_once(lone, person)
    until("they are aborted", lambda: lone.gateway.metric("parley_sockets") <= 1)
    assert len(lone.gateway.events("socket.silent")) == CONNECTS
    for raw in raws:
        raw.tcp.close()
    lone.answer_rooms(question(lone, person), f"{person.id}=")


def very_many_connect_at_once(lone: LoneGateway, person: Person, socket: Socket) -> None:
    close_in_groups(lone, connect_at_once(lone, person))
    lone.answer_rooms(question(lone, person), f"{person.id}=")


LARGE: dict[str, Callable[[LoneGateway, Person, Socket], None]] = {
    "a crowd blocks one user": many_block_one,
    "blocks of a crowd change": many_change_their_blocks,
    "members of a room come and go": members_come_and_go,
    "one user has many sockets": one_user_has_many_sockets,
    "very many connect at once": very_many_connect_at_once,
    "very many are silent at once": very_many_are_silent_at_once,
}


@pytest.mark.parametrize("large", LARGE)
def test_no_turn_is_slow(large: str, stack: Stack, api: Api, alice: Person):
    changes = {"WEBSOCKET_PING_S": "2", "WEBSOCKET_SILENT_S": "5"} if "silent" in large else {}
    with LoneGateway(stack, WEBSOCKET_QUEUE_BYTES="16777216",
                     WEBSOCKET_USER_SOCKETS_MAX="10000", **changes) as lone, \
            open_socket(lone.ws_url, alice, checked=False) as socket:
        LARGE[large](lone, alice, socket)
        barrier(lone, socket, alice.id)
        assert lone.gateway.env["WEBSOCKET_TURN_MAX_MS"] in (str(TURN_MAX_MS), "0")
        # LoneGateway fails at its end when a turn was slow.


def test_a_slow_turn_is_noticed(stack: Stack, api: Api, alice: Person):
    """Planted: with a limit of a millisecond, the answer about a crowd is over it."""
    with LoneGateway(stack, WEBSOCKET_TURN_MAX_MS="1") as lone, \
            open_socket(lone.ws_url, alice, checked=False) as socket:
        many_block_one(lone, alice, socket)
        barrier(lone, socket, alice.id)
        # The gateway logs at the end of the turn, after it has sent the mark.
        events = until("the turn is logged", lambda: lone.gateway.events("loop.slow_turn"))
        assert events[0]["level"] == "error"
