"""Large conversations: above FANOUT_LIST_MAX members (three here) events go to a room, and
the gateways know who of their users are in it."""

from collections.abc import Callable, Iterator

import pytest

from support.api import Api, Person
from support.chat import Socket
from support.conversations import Group, change_of, everything, make, nothing_of
from support.service import Service
from support.stack import Stack
from support.stores import records
from support.wait import until
from test_52_groups import said_again
from test_53_receipts import reached
from test_58_random_membership import SEED, come_and_go

MANY = 8


class Crowd:
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

    def heard(self, uuid: str, by: list[Socket]) -> None:
        for socket in by:
            socket.expect(type="message", uuid=uuid)

    def others(self, *without: int) -> list[Socket]:
        return [self.socket(number) for number in range(MANY) if number not in without]


@pytest.fixture
def crowd(crowd_stack: Stack, crowd_api: Api, crowd_enter) -> Iterator[Crowd]:
    with Service(crowd_stack, "websocket-service") as second:
        yield Crowd(crowd_api, crowd_enter, second.ws_url)


def test_a_message_reaches_all(crowd: Crowd, crowd_stack: Stack):
    for sender in (0, 1):
        uuid = crowd.say(sender, f"from {sender}")
        crowd.heard(uuid, crowd.others(sender))
    assert [entry.get("message") for entry in crowd.channel.entries(crowd.people[5])][-2:] == \
        ["from 0", "from 1"]
    # One record for each partition, not for each member.
    events = records(crowd_stack, "message_events", lambda found: uuid.encode() in found.value
                     and found.key.startswith("c:"), 12)
    assert {event.key for event in events} == {f"c:{crowd.channel.id}"}
    assert {event.partition for event in events} == set(range(12))


def test_each_member_receives_each_message_once_and_in_order(crowd: Crowd):
    uuids = []
    for number in range(30):
        socket = crowd.socket(number % 4)
        uuids.append(socket.say_in(crowd.channel.id, f"n{number}"))
        socket.saved(uuids[-1])
    for number in range(MANY):
        wanted = [uuid for at, uuid in enumerate(uuids) if at % 4 != number]
        socket = crowd.socket(number)
        socket.until("the last", lambda frame, wanted=wanted: frame.get("uuid") == wanted[-1]
                     and frame["type"] == "message")
        heard = [frame["uuid"] for frame in socket.seen if frame["type"] == "message"]
        assert heard == wanted[:-1]


def test_a_new_member_receives_the_next_message_and_a_former_one_none(crowd: Crowd):
    late = crowd.api.register()
    here, there = crowd.open(late), crowd.open(late, elsewhere=True)
    uuid = crowd.say(0, "before")
    crowd.heard(uuid, crowd.others(0))
    for socket in (here, there):
        nothing_of(crowd.channel.id, socket, crowd.socket(0), late)
    crowd.channel.join(late)
    for socket in (here, there):
        change_of(socket, crowd.channel.id, "joined")
    crowd.heard(crowd.say(1, "welcome"), [here, there, *crowd.others(1)])
    crowd.channel.remove(crowd.people[0], late)
    for socket in (here, there, *crowd.others()):
        change_of(socket, crowd.channel.id, "removed")
    crowd.heard(crowd.say(0, "after"), crowd.others(0))
    for socket in (here, there):
        nothing_of(crowd.channel.id, socket, crowd.socket(1), late)
        socket.refused(socket.say_in(crowd.channel.id, "x"), "unknown_conversation")


def test_repeated_joins_and_leaves_end_in_the_last_state(crowd: Crowd):
    """The last change counts, in whatever order a gateway receives the changes."""
    late = crowd.api.register()
    sockets = [crowd.open(late), crowd.open(late, elsewhere=True)]
    for _ in range(5):
        crowd.channel.join(late)
        crowd.channel.leave(late)
    for socket in sockets:
        for _ in range(5):
            change_of(socket, crowd.channel.id, "joined")
            change_of(socket, crowd.channel.id, "left")
    crowd.heard(crowd.say(0, "out"), crowd.others(0))
    for socket in sockets:
        nothing_of(crowd.channel.id, socket, crowd.socket(0), late)
    crowd.channel.join(late)
    crowd.heard(crowd.say(0, "in"), sockets)


def test_each_message_after_the_welcome_arrives(crowd: Crowd):
    """A gateway that does not know a user asks for the rooms before it sends welcome."""
    for number in range(1, MANY):
        person = crowd.people[number]
        crowd.socket(number).close()
        crowd.sockets[person.id] = crowd.open(person, elsewhere=number % 2 == 0)
        crowd.heard(crowd.say(0, f"to {number}"), [crowd.socket(number)])


def test_a_new_gateway_learns_the_rooms_of_its_users(crowd: Crowd, crowd_stack: Stack):
    with Service(crowd_stack, "websocket-service") as third:
        sockets = [crowd.enter(person, third.ws_url) for person in crowd.people]
        crowd.heard(crowd.say(0, "hello"), [*sockets, *crowd.others(0)])
        outside = crowd.api.register()
        with Socket(third.ws_url, outside.token) as strange:
            strange.expect(type="welcome")
            crowd.heard(crowd.say(1, "again"), sockets)
            nothing_of(crowd.channel.id, strange, sockets[0], outside)


@pytest.mark.slow
def test_a_restarted_gateway_delivers_to_its_rooms(crowd: Crowd, crowd_stack: Stack):
    crowd_stack.kill("websocket-service")
    crowd_stack.wait_ready()
    cut = [number for number in range(MANY) if number % 2 == 0]
    uuid = crowd.say(1, "meanwhile")
    crowd.heard(uuid, [crowd.socket(number) for number in (3, 5, 7)])
    for number in cut:
        crowd.sockets[crowd.people[number].id] = crowd.open(crowd.people[number])
    crowd.heard(crowd.say(0, "back"), crowd.others(0))
    assert [entry["uuid"] for entry in crowd.channel.entries(crowd.people[2])][-2] == uuid


@pytest.mark.slow
def test_a_restarted_persistence_delivers_to_rooms(crowd: Crowd, crowd_stack: Stack):
    crowd_stack.kill("persistence-service")
    uuid = crowd.socket(0).say_in(crowd.channel.id, "to whoever saves it")
    crowd.socket(0).saved(uuid)
    crowd.heard(uuid, crowd.others(0))
    crowd_stack.wait_ready()


def test_a_group_that_became_large_stays_large(crowd_api: Api, crowd_enter, crowd_stack: Stack):
    people = [crowd_api.register() for _ in range(5)]
    sockets = [crowd_enter(person) for person in people]
    group = make(crowd_api, people[0], people[1], people[2], history="all")

    def keys(text: str) -> set[str]:
        uuid = sockets[0].say_in(group.id, text)
        sockets[0].saved(uuid)
        for socket, person in list(zip(sockets, people))[1:]:
            if person.id in group.roles(people[0]):
                socket.expect(type="message", uuid=uuid)
        found = records(crowd_stack, "message_events", lambda event: uuid.encode() in event.value
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
        nothing_of(group.id, socket, sockets[0], person)


def test_typing_in_a_large_conversation_is_not_delivered(crowd: Crowd):
    crowd.socket(0).typing(crowd.channel.id)
    uuid = crowd.say(0, "there")
    for socket in crowd.others(0):
        socket.expect(type="message", uuid=uuid)
        assert not [frame for frame in socket.seen if frame["type"] == "typing"]


def test_changes_of_messages_reach_all_members(crowd: Crowd):
    uuid = crowd.socket(1).say_in(crowd.channel.id, "helo")
    seq = crowd.socket(1).saved(uuid)["seq"]
    edit = crowd.socket(1).change("edit", crowd.channel.id, seq, message="hello")
    crowd.socket(1).saved(edit)
    like = crowd.socket(2).change("react", crowd.channel.id, seq, reaction="👍")
    for socket in crowd.others(1):
        assert socket.expect(type="edit", uuid=edit)["message"] == "hello"
    for socket in crowd.others(2):
        socket.expect(type="reaction", uuid=like)


def test_all_members_receive_the_deletion_of_a_channel(crowd: Crowd):
    crowd.channel.delete(crowd.people[0])
    for socket in crowd.others():
        change_of(socket, crowd.channel.id, "deleted")
    until("nobody has it any more", lambda: all(
        not crowd.api.conversations(person)["conversations"] for person in crowd.people))


# --- tests of other files, in a room ------------------------------------------------
def test_a_repeated_message_does_not_reach_a_new_room_member(crowd_api: Api, crowd_enter):
    said_again(crowd_api, crowd_enter, 5)


def test_receipts_in_a_large_conversation_reach_the_readers_sockets_only(
        crowd_api: Api, crowd_enter):
    people = [crowd_api.register() for _ in range(5)]
    group = make(crowd_api, people[0], *people[1:])
    one, two, other = (crowd_enter(person) for person in (people[0], people[1], people[1]))
    uuid = one.say_in(group.id, "hi")
    seq = one.saved(uuid)["seq"]
    two.expect(type="message", uuid=uuid)
    two.receipt("read", group.id, seq)
    for socket in (two, other):
        reached(socket, people[1], group.id, seq, seq)
    assert [frame for frame in everything(one, two, people[0])
            if frame["type"] == "receipt"] == []
    seen = {member["user"] for member in group.members(people[4], seen=seq)}
    assert seen == {people[0].id, people[1].id}
    assert crowd_api.conversation(people[1], group.id)["unread"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", [SEED, SEED + 100])
def test_random_joins_and_leaves_of_a_large_channel(seed: int, crowd_stack: Stack, crowd_api: Api,
                                                    crowd_enter):
    come_and_go(crowd_stack, crowd_api, crowd_enter, seed, False)
