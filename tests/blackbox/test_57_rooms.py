"""Large conversations: above FANOUT_LIST_MAX members (three here) events go to a room, and
the gateways know which of their users are members."""

from collections.abc import Callable, Iterator

import pytest

from support.api import Api, Person
from support.chat import Socket
from support.conversations import Group, assert_no_frames_of, change_of, make, pending_frames
from support.service import Service
from support.stack import Stack
from support.stores import Record, produce_again, records
from support.wait import until
from test_52_groups import check_repeated_message
from test_53_receipts import expect_receipt
from test_58_random_membership import SEED, check_random_membership

MANY = 8


class LargeChannel:
    """A channel of MANY users; every second one has its socket on a second gateway."""

    def __init__(self, api: Api, enter: Callable[..., Socket], second: str):
        self.api, self.enter, self.second = api, enter, second
        self.people = [api.register() for _ in range(MANY)]
        self.channel: Group = make(api, self.people[0], kind="channel")
        self.sockets: dict[int, Socket] = {}
        for number, person in enumerate(self.people):
            self.sockets[person.id] = self.open(person, number % 2 == 1)
        for person in self.people[1:]:
            self.channel.join(person)
            change_of(self.socket(0), self.channel.id, "joined")

    def open(self, person: Person, elsewhere: bool = False) -> Socket:
        return self.enter(person, self.second if elsewhere else None)

    def socket(self, number: int) -> Socket:
        return self.sockets[self.people[number].id]

    def say(self, number: int, text: str) -> str:
        uuid = self.socket(number).say_in(self.channel.id, text)
        self.socket(number).saved(uuid)
        return uuid

    def expect_message(self, uuid: str, by: list[Socket]) -> None:
        for socket in by:
            socket.expect(type="message", uuid=uuid)

    def others(self, *without: int) -> list[Socket]:
        return [self.socket(number) for number in range(MANY) if number not in without]


@pytest.fixture
def large(room_stack: Stack, room_api: Api, room_enter) -> Iterator[LargeChannel]:
    with Service(room_stack, "websocket-service") as second:
        yield LargeChannel(room_api, room_enter, second.ws_url)


def test_a_message_reaches_all(large: LargeChannel, room_stack: Stack):
    for sender in (0, 1):
        uuid = large.say(sender, f"from {sender}")
        large.expect_message(uuid, large.others(sender))
    assert [entry.get("message") for entry in large.channel.entries(large.people[5])][-2:] == \
        ["from 0", "from 1"]
    # One record for each partition, not for each member.
    events = records(room_stack, "message_events", lambda found: uuid.encode() in found.value
                     and found.key.startswith("c:"), 12)
    assert {event.key for event in events} == {f"c:{large.channel.id}"}
    assert {event.partition for event in events} == set(range(12))


def test_each_member_receives_each_message_once_and_in_order(large: LargeChannel):
    uuids = []
    for number in range(30):
        socket = large.socket(number % 4)
        uuids.append(socket.say_in(large.channel.id, f"n{number}"))
        socket.saved(uuids[-1])
    for number in range(MANY):
        wanted = [uuid for at, uuid in enumerate(uuids) if at % 4 != number]
        socket = large.socket(number)
        socket.until("the last", lambda frame, wanted=wanted: frame.get("uuid") == wanted[-1]
                     and frame["type"] == "message")
        received = [frame["uuid"] for frame in socket.seen if frame["type"] == "message"]
        assert received == wanted[:-1]


def test_a_new_member_receives_the_next_message_and_a_former_one_none(large: LargeChannel):
    late = large.api.register()
    here, there = large.open(late), large.open(late, elsewhere=True)
    uuid = large.say(0, "before")
    large.expect_message(uuid, large.others(0))
    for socket in (here, there):
        assert_no_frames_of(large.channel.id, socket, large.socket(0), late)
    large.channel.join(late)
    for socket in (here, there):
        change_of(socket, large.channel.id, "joined")
    large.expect_message(large.say(1, "welcome"), [here, there, *large.others(1)])
    large.channel.remove(large.people[0], late)
    for socket in (here, there, *large.others()):
        change_of(socket, large.channel.id, "removed")
    large.expect_message(large.say(0, "after"), large.others(0))
    for socket in (here, there):
        assert_no_frames_of(large.channel.id, socket, large.socket(1), late)
        socket.refused(socket.say_in(large.channel.id, "x"), "unknown_conversation")


def test_repeated_joins_and_leaves_end_in_the_last_state(large: LargeChannel):
    """The last change counts, in whatever order a gateway receives the changes."""
    late = large.api.register()
    sockets = [large.open(late), large.open(late, elsewhere=True)]
    for _ in range(5):
        large.channel.join(late)
        large.channel.leave(late)
    for socket in sockets:
        for _ in range(5):
            change_of(socket, large.channel.id, "joined")
            change_of(socket, large.channel.id, "left")
    large.expect_message(large.say(0, "out"), large.others(0))
    for socket in sockets:
        assert_no_frames_of(large.channel.id, socket, large.socket(0), late)
    large.channel.join(late)
    large.expect_message(large.say(0, "in"), sockets)


def test_each_message_after_the_welcome_arrives(large: LargeChannel):
    """A gateway that does not know a user asks for the rooms before it sends welcome."""
    for number in range(1, MANY):
        person = large.people[number]
        large.socket(number).close()
        large.sockets[person.id] = large.open(person, elsewhere=number % 2 == 0)
        large.expect_message(large.say(0, f"to {number}"), [large.socket(number)])


def test_a_new_gateway_learns_the_rooms_of_its_users(large: LargeChannel, room_stack: Stack):
    with Service(room_stack, "websocket-service") as third:
        sockets = [large.enter(person, third.ws_url) for person in large.people]
        large.expect_message(large.say(0, "hello"), [*sockets, *large.others(0)])
        outside = large.api.register()
        with Socket(third.ws_url, outside.token) as strange:
            strange.expect(type="welcome")
            large.expect_message(large.say(1, "again"), sockets)
            assert_no_frames_of(large.channel.id, strange, sockets[0], outside)


@pytest.mark.prove
@pytest.mark.slow
def test_a_restarted_gateway_delivers_to_its_rooms(large: LargeChannel, room_stack: Stack):
    room_stack.kill("websocket-service")
    room_stack.wait_ready()
    cut = [number for number in range(MANY) if number % 2 == 0]
    uuid = large.say(1, "meanwhile")
    large.expect_message(uuid, [large.socket(number) for number in (3, 5, 7)])
    for number in cut:
        large.sockets[large.people[number].id] = large.open(large.people[number])
    large.expect_message(large.say(0, "back"), large.others(0))
    assert [entry["uuid"] for entry in large.channel.entries(large.people[2])][-2] == uuid


@pytest.mark.slow
def test_a_restarted_persistence_delivers_to_rooms(large: LargeChannel, room_stack: Stack):
    room_stack.kill("persistence-service")
    uuid = large.socket(0).say_in(large.channel.id, "saved after the restart")
    large.socket(0).saved(uuid)
    large.expect_message(uuid, large.others(0))
    room_stack.wait_ready()


def test_a_group_that_became_large_stays_large(room_api: Api, room_enter, room_stack: Stack):
    people = [room_api.register() for _ in range(5)]
    sockets = [room_enter(person) for person in people]
    group = make(room_api, people[0], people[1], people[2], history="all")

    def keys(text: str) -> set[str]:
        uuid = sockets[0].say_in(group.id, text)
        sockets[0].saved(uuid)
        for socket, person in list(zip(sockets, people))[1:]:
            if person.id in group.roles(people[0]):
                socket.expect(type="message", uuid=uuid)
        found = records(room_stack, "message_events", lambda event: uuid.encode() in event.value
                        and event.json()["type"] == "message")
        return {event.key for event in found}

    assert not any(key.startswith("c:") for key in keys("small"))
    group.invite(people[0], people[3])
    assert keys("large") == {f"c:{group.id}"}
    group.invite(people[0], people[4])
    for person in people[2:]:
        group.remove(people[0], person)
    assert keys("two") == {f"c:{group.id}"}
    for socket, person in list(zip(sockets, people))[2:]:
        removed = socket.until("my removal", lambda frame, person=person:
                               frame.get("change") == {"what": "removed", "users": [person.id]})
        socket.seen.clear()
        assert removed["conversation"] == group.id
        assert_no_frames_of(group.id, socket, sockets[0], person)


def test_typing_in_a_large_conversation_is_not_delivered(large: LargeChannel):
    large.socket(0).typing(large.channel.id)
    uuid = large.say(0, "there")
    for socket in large.others(0):
        socket.expect(type="message", uuid=uuid)
        assert not [frame for frame in socket.seen if frame["type"] == "typing"]


def test_changes_of_messages_reach_all_members(large: LargeChannel):
    uuid = large.socket(1).say_in(large.channel.id, "helo")
    seq = large.socket(1).saved(uuid)["seq"]
    edit = large.socket(1).change("edit", large.channel.id, seq, message="hello")
    large.socket(1).saved(edit)
    like = large.socket(2).change("react", large.channel.id, seq, reaction="👍")
    for socket in large.others(1):
        assert socket.expect(type="edit", uuid=edit)["message"] == "hello"
    for socket in large.others(2):
        socket.expect(type="reaction", uuid=like)


def test_all_members_receive_the_deletion_of_a_channel(large: LargeChannel):
    large.channel.delete(large.people[0])
    for socket in large.others():
        change_of(socket, large.channel.id, "deleted")
    until("the channel is in no conversation list", lambda: all(
        not large.api.conversations(person)["conversations"] for person in large.people))


# --- tests of other files, repeated in a room ----------------------------------------
def test_a_repeated_message_does_not_reach_a_new_room_member(room_api: Api, room_enter):
    check_repeated_message(room_api, room_enter, 5)


def test_receipts_in_a_large_conversation_reach_the_readers_sockets_only(
        room_api: Api, room_enter):
    people = [room_api.register() for _ in range(5)]
    group = make(room_api, people[0], *people[1:])
    one, two, other = (room_enter(person) for person in (people[0], people[1], people[1]))
    uuid = one.say_in(group.id, "hi")
    seq = one.saved(uuid)["seq"]
    two.expect(type="message", uuid=uuid)
    two.receipt("read", group.id, seq)
    for socket in (two, other):
        expect_receipt(socket, people[1], group.id, seq, seq)
    assert [frame for frame in pending_frames(one, two, people[0])
            if frame["type"] == "receipt"] == []
    seen = {member["user"] for member in group.members(people[4], seen=seq)}
    assert seen == {people[0].id, people[1].id}
    assert room_api.conversation(people[1], group.id)["unread"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", [SEED, SEED + 100])
def test_each_user_of_a_large_channel_receives_the_entries_of_their_membership(seed: int, room_stack: Stack, room_api: Api,
                                                    room_enter):
    check_random_membership(room_stack, room_api, room_enter, seed, False)


# --- late records ----------------------------------------------------------------------
def leave(channel: Group, person: Person) -> None:
    channel.leave(person)


def remove(channel: Group, person: Person) -> None:
    channel.remove(channel.owner, person)


@pytest.mark.parametrize("go", [leave, remove])
def test_a_late_join_brings_no_user_back_into_a_room(
        go: Callable[[Group, Person], None], room_stack: Stack, room_api: Api, room_enter):
    """A process that was stopped produces real records of the join, and of an answer, late. One
    gateway has seen that the user left, the other one has started since."""
    owner, *others, bob = (room_api.register() for _ in range(5))
    channel = make(room_api, owner, *others, kind="channel")
    one, marker = room_enter(owner), room_enter(room_api.register())
    here = room_enter(bob)
    channel.join(bob)
    change_of(here, channel.id, "joined")
    with Service(room_stack, "websocket-service") as another:  # an answer that has the room
        room_enter(bob, another.ws_url)

    def is_about_bob(record: Record) -> bool:
        joined = record.headers.get("room", b"").split(b":")
        listed = record.headers.get("rooms", b"").split(b"/")
        return (joined[0] == str(channel.id).encode() and b"+" in joined[-1]
                or any(one.startswith(f"{bob.id}={channel.id}:".encode()) for one in listed))

    late = records(room_stack, "message_events", is_about_bob, 13)
    assert {name for record in late for name in record.headers} >= {"room", "rooms"}
    go(channel, bob)
    change_of(here, channel.id, "left" if go is leave else "removed")
    here.seen.clear()
    with Service(room_stack, "websocket-service") as later:
        there = room_enter(bob, later.ws_url)
        produce_again(room_stack, "message_events", late)
        one.saved(one.say_in(channel.id, "bob has left"))
        for socket in (here, there):
            assert_no_frames_of(channel.id, socket, marker, bob)


@pytest.mark.parametrize("go", [leave, remove])
def test_a_late_leave_takes_no_user_out_of_a_room(
        go: Callable[[Group, Person], None], room_stack: Stack, room_api: Api, room_enter):
    """The opposite: a real record of the departure comes again when the user is back."""
    owner, *others, bob = (room_api.register() for _ in range(5))
    channel = make(room_api, owner, *others, kind="channel")
    one, here = room_enter(owner), room_enter(bob)
    channel.join(bob)
    go(channel, bob)
    channel.join(bob)
    for change in ("joined", "left" if go is leave else "removed", "joined"):
        change_of(here, channel.id, change)

    def is_departure(record: Record) -> bool:
        room = record.headers.get("room", b"").split(b":")
        return room[0] == str(channel.id).encode() and room[-1] == f"-{bob.id}".encode()

    late = records(room_stack, "message_events", is_departure, 12)
    with Service(room_stack, "websocket-service") as later:
        there = room_enter(bob, later.ws_url)
        for _ in range(2):
            produce_again(room_stack, "message_events", late)
            uuid = one.say_in(channel.id, "bob is back")
            for socket in (here, there):
                socket.expect(type="message", uuid=uuid)
