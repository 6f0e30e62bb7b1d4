"""The gateway's side of conversations: rooms, receipts, typing, changes of messages.

The test plays persistence.
"""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from websockets.exceptions import ConnectionClosed

from support.api import Api, Person
from support.chat import Socket, new_uuid, open_socket
from support.loner import Loner
from support.stack import Stack
from support.stores import Record
from support.wait import until


@pytest.fixture(scope="module")
def loner(stack: Stack) -> Iterator[Loner]:
    stack.wait_ready()
    with Loner(stack) as loner:
        yield loner


def questions(loner: Loner, person: Person, count: int = 1) -> list[Record]:
    """All rooms questions about this user."""
    return loner.saves(lambda save: save["kind"] == "rooms" and
                       str(person.id) in save["users"].split(","), count)


def welcomed(loner: Loner, person: Person, rooms: str) -> Socket:
    """An open socket of a user in these rooms: answers the gateway's question.

    The gateway waits a second for the answer. When a late answer names a room, the
    gateway closes the socket; after the reconnect it knows the rooms.
    """
    socket = Socket(loner.ws_url, person.token, checked=False)
    loner.answer_rooms(questions(loner, person)[-1], f"{person.id}={rooms}")
    try:
        socket.expect(type="welcome")
        barrier(loner, socket, person.id)
    except ConnectionClosed:
        socket = Socket(loner.ws_url, person.token, checked=False)
        socket.expect(type="welcome")
    return socket


def seen(socket: Socket, **members) -> bool:
    return any(all(frame.get(name) == value for name, value in members.items())
               for frame in socket.seen)


def barrier(loner: Loner, socket: Socket, user: int) -> None:
    """All events produced so far have been delivered or dropped."""
    mark = new_uuid()
    loner.to_user(user, {"type": "mark", "uuid": mark})
    socket.expect(type="mark", uuid=mark)


# --- rooms -------------------------------------------------------------------------
def test_welcome_waits_for_the_rooms_of_a_user(loner: Loner, alice: Person):
    started = time.monotonic()
    with Socket(loner.ws_url, alice.token, checked=False) as socket:
        asked = questions(loner, alice)[-1]
        assert asked.key == f"u:{alice.id}" and asked.json().pop("sent_at")
        assert asked.json()["users"] == str(asked.json()["sender"]) == str(alice.id)
        socket.expect(type="welcome")
        assert time.monotonic() - started > 0.9, "nobody had answered"
        # A late answer without rooms: nothing was missed.
        loner.answer_rooms(asked, f"{alice.id}=")
        barrier(loner, socket, alice.id)
        asked = len(questions(loner, alice))
        with open_socket(loner.ws_url, alice, checked=False):
            assert len(questions(loner, alice)) == asked, "it is known"


def test_a_late_answer_that_names_a_room_closes_the_socket(loner: Loner, alice: Person):
    with open_socket(loner.ws_url, alice, checked=False) as socket:
        loner.answer_rooms(questions(loner, alice)[-1], f"{alice.id}=1700:43")
        code, reason = socket.closed()
        assert code == 1013 and "backlog" in reason
    asked = len(questions(loner, alice))
    with open_socket(loner.ws_url, alice, checked=False) as socket:
        assert len(questions(loner, alice)) == asked
        loner.to_room(1700, {"type": "message", "conversation": 1700, "seq": 44})
        socket.expect(type="message", conversation=1700, seq=44)


def test_one_record_asks_for_the_rooms_of_many_users(loner: Loner, api: Api):
    people = {str(person.id): person for person in (api.register() for _ in range(20))}
    asked: dict[str, Record] = {}  # user -> the first question about them

    def all_asked() -> bool:
        for record in loner.saves(lambda save: save["kind"] == "rooms"):
            for user in record.json()["users"].split(","):
                asked.setdefault(user, record)
        return people.keys() <= asked.keys()

    with ThreadPoolExecutor(len(people)) as pool, ExitStack() as opened:
        sockets = [opened.enter_context(socket) for socket in pool.map(
            lambda person: Socket(loner.ws_url, person.token, checked=False), people.values())]
        until("all are asked about", all_asked)
        questions_of = {asked[user].headers["origin"]: asked[user] for user in people}
        assert len(questions_of) < len(people)
        for question in questions_of.values():
            users = question.json()["users"].split(",")
            assert users[0] == str(question.json()["sender"])
            loner.answer_rooms(question, "/".join(f"{user}=" for user in users))
        for socket in sockets:
            socket.expect(type="welcome")


@pytest.mark.parametrize("text", ["", "x", "{user}", "{user}=/", "/{user}=", "0=/{user}="])
def test_a_malformed_answer_is_ignored(text: str, loner: Loner, alice: Person):
    started = time.monotonic()
    with Socket(loner.ws_url, alice.token, checked=False) as socket:
        loner.answer_rooms(questions(loner, alice)[-1], text.format(user=alice.id))
        socket.expect(type="welcome")
        assert time.monotonic() - started > 0.9


def test_an_answer_to_another_gateway_is_ignored(loner: Loner, alice: Person):
    started = time.monotonic()
    with Socket(loner.ws_url, alice.token, checked=False) as socket:
        question = questions(loner, alice)[-1]
        question.headers["origin"] = b"1" * 16 + question.headers["origin"][16:]
        loner.answer_rooms(question, f"{alice.id}=")
        socket.expect(type="welcome")
        assert time.monotonic() - started > 0.9


def test_a_room_event_reaches_each_member_once(loner: Loner, api: Api):
    people = [api.register() for _ in range(6)]
    sockets = [welcomed(loner, person, "1701:5" if at % 2 else "1702:5")
               for at, person in enumerate(people)]
    loner.to_room(1701, {"type": "message", "conversation": 1701, "seq": 6})
    for person, socket in zip(people, sockets):
        barrier(loner, socket, person.id)
        inside = people.index(person) % 2 == 1
        assert len([frame for frame in socket.seen if frame["type"] == "message"]) == inside
        socket.close()


def test_a_join_takes_effect_before_its_frame_and_a_leave_after_it(loner: Loner, api: Api):
    comes, goes, stays = (api.register() for _ in range(3))
    sockets = {person.id: welcomed(loner, person, rooms)
               for person, rooms in ((comes, ""), (goes, "1703:5"), (stays, "1703:5"))}

    def say(seq: int, header: str = "", text: str = "") -> None:
        loner.to_room(1703, {"type": "member" if header else "message", "conversation": 1703,
                             "seq": seq}, header, text)

    say(6)
    say(7, "room", f"1703:7:+{comes.id}")
    say(8)
    say(9, "room", f"1703:9:-{goes.id}")
    say(10)
    say(7, "room", f"1703:7:+{comes.id},{goes.id}")  # repeated, and too late for the user who left
    say(11)
    got = {}
    for user, socket in sockets.items():
        barrier(loner, socket, user)
        got[user] = [frame["seq"] for frame in socket.seen]
        socket.close()
    assert got[stays.id] == [6, 7, 8, 9, 10, 7, 11]
    assert got[comes.id] == [7, 8, 9, 10, 7, 11]
    assert got[goes.id] == [6, 7, 8, 9]


# --- what is sent to a conversation ---------------------------------------------------
def test_changes_of_messages_are_produced_like_sends(loner: Loner, alice: Person):
    with welcomed(loner, alice, "") as socket:
        frames = {
            "message": {"message": "hi", "conversation": 17, "reply_to": 41},
            "edit": {"message": "hi!", "conversation": 17, "seq": 42},
            "delete": {"conversation": 17, "seq": 42},
            "react": {"reaction": "👍", "conversation": 17, "seq": 42, "remove": True},
        }
        for kind, members in frames.items():
            uuid = new_uuid()
            socket.send({"type": kind, "uuid": uuid, **members})
            record, = loner.saves(lambda save: save.get("uuid") == uuid)
            save = record.json()
            assert record.key == "c:17" and save.pop("sent_at")
            assert save == {"kind": kind, "uuid": uuid, "sender": alice.id, **members}
            socket.expect(type="state", uuid=uuid, state="accepted")
            state = {"type": "state", "uuid": uuid, "state": "saved", "conversation": 17}
            loner.to_user(alice.id, state, "settles", record.headers["origin"].decode())
            socket.expect(**state)


def test_receipts_are_coalesced_into_the_last_one(loner: Loner, alice: Person):
    with welcomed(loner, alice, "") as socket:
        for seq in range(1, 501):
            socket.send({"type": "delivered", "conversation": 18, "seq": seq})
            socket.send({"type": "read", "conversation": 18, "seq": seq})

        def mine(save: dict) -> bool:
            return save["sender"] == alice.id and save.get("conversation") == 18

        def last(kind: str) -> int:
            return max((save["seq"] for save in map(lambda record: record.json(),
                                                    loner.saves(mine))
                        if save["kind"] == kind), default=0)

        until("both are there", lambda: last("read") == last("delivered") == 500)
        assert len(loner.saves(mine)) < 900
        assert socket.seen == []


# --- typing -----------------------------------------------------------------------------
def test_typing_reaches_the_others_after_one_question(loner: Loner, alice: Person, bob: Person):
    def asked(save: dict) -> bool:
        return save["kind"] == "roster" and save["sender"] == alice.id

    with welcomed(loner, alice, "") as writer, welcomed(loner, bob, "") as reader:
        typing = {"type": "typing", "conversation": 19}
        writer.send(typing)
        record, = loner.saves(asked)
        assert record.key == "c:19"
        loner.answer(alice.id, "roster", f"19:{bob.id}")
        assert reader.expect(**typing) == typing | {"user": alice.id}
        writer.send(typing)
        time.sleep(2)
        writer.send(typing)
        reader.expect(**typing)
        barrier(loner, reader, bob.id)
        assert not seen(reader, type="typing"), "more than one in 2 s"
        # The membership has changed: the gateway asks again.
        loner.to_user(bob.id, {"type": "member"}, "room", "19:5:=")
        barrier(loner, reader, bob.id)
        time.sleep(2)
        writer.send(typing)
        loner.saves(asked, 2)
        assert not seen(reader, type="typing")
        assert writer.seen == []


def test_typing_without_a_roster_gets_no_answer(loner: Loner, alice: Person):
    with welcomed(loner, alice, "") as socket:
        socket.send({"type": "typing", "conversation": 20})
        loner.saves(lambda save: save["kind"] == "roster" and save["sender"] == alice.id)
        loner.answer(alice.id, "roster", "20:")
        barrier(loner, socket, alice.id)
        assert socket.seen == []
