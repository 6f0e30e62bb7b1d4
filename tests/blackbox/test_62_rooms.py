"""The gateway's side of conversations: rooms, receipts, typing, changes of messages.

The test plays persistence.
"""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from websockets.exceptions import ConnectionClosed

from support.api import Api, Person
from support.chat import Socket, new_uuid, open_socket
from support.lone_gateway import LoneGateway
from support.stack import Stack
from support.stores import Record
from support.wait import until


@pytest.fixture(scope="module")
def lone(stack: Stack) -> Iterator[LoneGateway]:
    stack.wait_ready()
    with LoneGateway(stack) as lone:
        yield lone


def room_questions(lone: LoneGateway, person: Person, count: int = 1) -> list[Record]:
    """The records in which the gateway asks for the rooms of this user."""
    return lone.saves(lambda save: save["kind"] == "rooms" and
                       str(person.id) in save["users"].split(","), count)


def open_welcomed(lone: LoneGateway, person: Person, rooms: str) -> Socket:
    """An open socket of a user in these rooms: answers the gateway's question.

    The gateway waits a second for the answer. When a late answer names a room, the
    gateway closes the socket; after the reconnect it knows the rooms.
    """
    socket = Socket(lone.ws_url, person.token, checked=False)
    lone.answer_rooms(room_questions(lone, person)[-1], f"{person.id}={rooms}")
    try:
        socket.expect(type="welcome")
        barrier(lone, socket, person.id)
    except ConnectionClosed:
        socket = Socket(lone.ws_url, person.token, checked=False)
        socket.expect(type="welcome")
    return socket


def seen(socket: Socket, **members) -> bool:
    return any(all(frame.get(name) == value for name, value in members.items())
               for frame in socket.seen)


def barrier(lone: LoneGateway, socket: Socket, user: int) -> None:
    """All events produced so far have been delivered or dropped."""
    mark = new_uuid()
    lone.to_user(user, {"type": "mark", "uuid": mark})
    socket.expect(type="mark", uuid=mark)


# --- rooms -------------------------------------------------------------------------
def test_welcome_waits_for_the_rooms_of_a_user(lone: LoneGateway, alice: Person):
    started = time.monotonic()
    with Socket(lone.ws_url, alice.token, checked=False) as socket:
        asked = room_questions(lone, alice)[-1]
        assert asked.key == f"u:{alice.id}" and asked.json().pop("sent_at")
        assert asked.json()["users"] == str(asked.json()["sender"]) == str(alice.id)
        socket.expect(type="welcome")
        assert time.monotonic() - started > 0.9, "the gateway must wait for the answer"
        # A late answer without rooms: nothing was missed.
        lone.answer_rooms(asked, f"{alice.id}=")
        barrier(lone, socket, alice.id)
        asked = len(room_questions(lone, alice))
        with open_socket(lone.ws_url, alice, checked=False):
            assert len(room_questions(lone, alice)) == asked, "asked again for known rooms"


def test_a_late_answer_that_names_a_room_closes_the_socket(lone: LoneGateway, alice: Person):
    with open_socket(lone.ws_url, alice, checked=False) as socket:
        lone.answer_rooms(room_questions(lone, alice)[-1], f"{alice.id}=1700:43")
        code, reason = socket.closed()
        assert code == 1013 and "backlog" in reason
    asked = len(room_questions(lone, alice))
    with open_socket(lone.ws_url, alice, checked=False) as socket:
        assert len(room_questions(lone, alice)) == asked
        lone.to_room(1700, {"type": "message", "conversation": 1700, "seq": 44})
        socket.expect(type="message", conversation=1700, seq=44)


def test_one_record_asks_for_the_rooms_of_many_users(lone: LoneGateway, api: Api):
    people = {str(person.id): person for person in (api.register() for _ in range(20))}
    asked: dict[str, Record] = {}  # user -> the first question about that user

    def all_asked() -> bool:
        for record in lone.saves(lambda save: save["kind"] == "rooms"):
            for user in record.json()["users"].split(","):
                asked.setdefault(user, record)
        return people.keys() <= asked.keys()

    with ThreadPoolExecutor(len(people)) as pool, ExitStack() as opened:
        sockets = [opened.enter_context(socket) for socket in pool.map(
            lambda person: Socket(lone.ws_url, person.token, checked=False), people.values())]
        until("the gateway has asked for the rooms of all users", all_asked)
        by_origin = {asked[user].headers["origin"]: asked[user] for user in people}
        assert len(by_origin) < len(people)
        for question in by_origin.values():
            users = question.json()["users"].split(",")
            assert users[0] == str(question.json()["sender"])
            lone.answer_rooms(question, "/".join(f"{user}=" for user in users))
        for socket in sockets:
            socket.expect(type="welcome")


@pytest.mark.parametrize("text", ["", "x", "{user}", "{user}=/", "/{user}=", "0=/{user}="])
def test_a_malformed_answer_is_ignored(text: str, lone: LoneGateway, alice: Person):
    started = time.monotonic()
    with Socket(lone.ws_url, alice.token, checked=False) as socket:
        lone.answer_rooms(room_questions(lone, alice)[-1], text.format(user=alice.id))
        socket.expect(type="welcome")
        assert time.monotonic() - started > 0.9


def test_an_answer_to_another_gateway_is_ignored(lone: LoneGateway, alice: Person):
    started = time.monotonic()
    with Socket(lone.ws_url, alice.token, checked=False) as socket:
        question = room_questions(lone, alice)[-1]
        question.headers["origin"] = b"1" * 16 + question.headers["origin"][16:]
        lone.answer_rooms(question, f"{alice.id}=")
        socket.expect(type="welcome")
        assert time.monotonic() - started > 0.9


def test_a_room_event_reaches_each_member_once(lone: LoneGateway, api: Api):
    people = [api.register() for _ in range(6)]
    sockets = [open_welcomed(lone, person, "1701:5" if at % 2 else "1702:5")
               for at, person in enumerate(people)]
    lone.to_room(1701, {"type": "message", "conversation": 1701, "seq": 6})
    for person, socket in zip(people, sockets):
        barrier(lone, socket, person.id)
        inside = people.index(person) % 2 == 1
        assert len([frame for frame in socket.seen if frame["type"] == "message"]) == inside
        socket.close()


def test_a_join_takes_effect_before_its_frame_and_a_leave_after_it(lone: LoneGateway, api: Api):
    joiner, leaver, member = (api.register() for _ in range(3))
    sockets = {person.id: open_welcomed(lone, person, rooms)
               for person, rooms in ((joiner, ""), (leaver, "1703:5"), (member, "1703:5"))}

    def say(seq: int, header: str = "", text: str = "") -> None:
        lone.to_room(1703, {"type": "member" if header else "message", "conversation": 1703,
                             "seq": seq}, header, text)

    say(6)
    say(7, "room", f"1703:7:+{joiner.id}")
    say(8)
    say(9, "room", f"1703:9:-{leaver.id}")
    say(10)
    say(7, "room", f"1703:7:+{joiner.id},{leaver.id}")  # repeated: ignored
    say(11)
    got = {}
    for user, socket in sockets.items():
        barrier(lone, socket, user)
        got[user] = [frame["seq"] for frame in socket.seen if frame["type"] != "mark"]
        socket.close()
    assert got[member.id] == [6, 7, 8, 9, 10, 11]
    assert got[joiner.id] == [7, 8, 9, 10, 11]
    assert got[leaver.id] == [6, 7, 8, 9]


# --- frames to a conversation ---------------------------------------------------
def make_key_known(lone: LoneGateway, socket: Socket, user: int, conversation: int) -> None:
    """A receipt waits for the key of its conversation as long as it takes; other frames are
    refused after a second."""
    socket.send({"type": "delivered", "conversation": conversation, "seq": 1})
    lone.answer_keys(conversation, f"c:{conversation}")
    lone.saves(lambda save: save["kind"] == "delivered" and save["sender"] == user
               and save["conversation"] == conversation)


def test_changes_of_messages_are_produced_like_sends(lone: LoneGateway, alice: Person):
    with open_welcomed(lone, alice, "") as socket:
        frames = {
            "message": {"message": "hi", "conversation": 17, "reply_to": 41},
            "edit": {"message": "hi!", "conversation": 17, "seq": 42},
            "delete": {"conversation": 17, "seq": 42},
            "react": {"reaction": "👍", "conversation": 17, "seq": 42, "remove": True},
        }
        make_key_known(lone, socket, alice.id, 17)
        for kind, members in frames.items():
            uuid = new_uuid()
            socket.send({"type": kind, "uuid": uuid, **members})
            record, = lone.saves(lambda save: save.get("uuid") == uuid)
            save = record.json()
            assert record.key == "c:17" and save.pop("sent_at")
            assert save == {"kind": kind, "uuid": uuid, "sender": alice.id, **members}
            socket.expect(type="state", uuid=uuid, state="accepted")
            state = {"type": "state", "uuid": uuid, "state": "saved", "conversation": 17}
            lone.to_user(alice.id, state, "settles", record.headers["origin"].decode())
            socket.expect(**state)


def test_receipts_are_coalesced_into_the_last_one(lone: LoneGateway, alice: Person):
    with open_welcomed(lone, alice, "") as socket:
        for seq in range(1, 501):
            socket.send({"type": "delivered", "conversation": 18, "seq": seq})
            socket.send({"type": "read", "conversation": 18, "seq": seq})
        lone.answer_keys(18, "c:18")

        def mine(save: dict) -> bool:
            return save["sender"] == alice.id and save.get("conversation") == 18

        def last(kind: str) -> int:
            return max((save["seq"] for save in map(lambda record: record.json(),
                                                    lone.saves(mine))
                        if save["kind"] == kind), default=0)

        until("both receipts are produced", lambda: last("read") == last("delivered") == 500)
        assert len(lone.saves(mine)) < 900
        assert socket.seen == []


# --- typing -----------------------------------------------------------------------------
def test_typing_reaches_the_others_after_one_question(lone: LoneGateway, alice: Person,
                                                      bob: Person):
    def asked(save: dict) -> bool:
        return save["kind"] == "roster" and save["sender"] == alice.id

    with open_welcomed(lone, alice, "") as writer, open_welcomed(lone, bob, "") as reader:
        make_key_known(lone, writer, alice.id, 19)
        typing = {"type": "typing", "conversation": 19}
        writer.send(typing)
        record, = lone.saves(asked)
        assert record.key == "c:19"
        lone.answer_roster(record, f"19:{bob.id}")
        assert reader.expect(**typing) == typing | {"user": alice.id}
        writer.send(typing)
        time.sleep(2)
        writer.send(typing)
        reader.expect(**typing)
        barrier(lone, reader, bob.id)
        assert not seen(reader, type="typing"), "more than one in 2 s"
        # The membership has changed: the gateway asks again.
        lone.to_user(bob.id, {"type": "member"}, "room", "19:5:=")
        barrier(lone, reader, bob.id)
        time.sleep(2)
        writer.send(typing)
        latest = next(found for found in lone.saves(asked, 2)
                      if found.headers["origin"] != record.headers["origin"])
        # An answer to the first query may come late: others may be members now.
        lone.answer_roster(record, f"19:{bob.id}")
        barrier(lone, writer, alice.id)
        barrier(lone, reader, bob.id)
        assert not seen(reader, type="typing")
        lone.answer_roster(latest, "19:")
        barrier(lone, writer, alice.id)
        barrier(lone, reader, bob.id)
        assert not seen(reader, type="typing")
        assert writer.seen == []


def test_typing_without_a_roster_gets_no_answer(lone: LoneGateway, alice: Person):
    with open_welcomed(lone, alice, "") as socket:
        make_key_known(lone, socket, alice.id, 20)
        socket.send({"type": "typing", "conversation": 20})
        question, = lone.saves(lambda save: save["kind"] == "roster"
                               and save["sender"] == alice.id)
        lone.answer_roster(question, "20:")
        barrier(lone, socket, alice.id)
        assert socket.seen == []
