"""No turn of a loop takes long beside rows that users can make many: blocks of a user, members of
a room, conversations of a user. One statement puts them into the database; everything else is what
clients do."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from support import turns
from support.api import Api, Person, check_problem
from support.chat import Socket, new_uuid, open_socket
from support.conversations import Group, change_of, make
from support.raw import RawSocket
from support.service import Service, apart
from support.stack import Stack
from support.stores import database, rows
from support.wait import until

pytestmark = [pytest.mark.prove, pytest.mark.slow]
MANY = 100_000
FIRST = 3_000_000_000  # ids from here on belong to no account
SOCKETS = 1_000  # of one member of the room
ROSTERS = 20_000
TYPED = 200  # at once
TYPING_INTERVAL_S = 2
DIGITS = " UNION ALL ".join(f"SELECT {digit} AS n" for digit in range(10))
NUMBERS = "SELECT a.n + 10 * b.n + 100 * c.n + 1000 * d.n + 10000 * e.n AS n FROM " + ", ".join(
    f"({DIGITS}) {name}" for name in "abcde")  # 0 to MANY - 1
NOW = "'2026-11-21 10:00:00.000'"


def insert(stack: Stack, statement: str) -> int:
    """{numbers}: a table of MANY rows with the column n."""
    with database(stack) as connection, connection.cursor() as cursor:
        return cursor.execute(statement.format(numbers=f"({NUMBERS}) numbers"))


class Large:
    """A persistence-service and a gateway of their own; both are measured."""

    def __init__(self, stack: Stack, exits: ExitStack):
        self.stack, self.exits = stack, exits
        own = apart(stack)
        self.persistence = exits.enter_context(Service(
            stack, "persistence-service", BLOCKS_MAX=str(MANY), MEMBERS_MAX=str(MANY),
            **own, **turns.persistence_settings(stack.build)))
        self.gateway = exits.enter_context(Service(
            stack, "websocket-service", KAFKA_TOPIC_SAVE=own["KAFKA_TOPIC_SAVE"],
            WEBSOCKET_USER_SOCKETS_MAX="0"))
        self.api = Api(self.persistence.url)
        exits.callback(self.api.close)
        for service, name in ((self.gateway, "WEBSOCKET"), (self.persistence, "PERSISTENCE")):
            assert service.env[f"{name}_TURN_MAX_MS"] in (str(turns.TURN_MAX_MS), "0")

    def enter(self, person: Person) -> Socket:
        return self.exits.enter_context(open_socket(self.gateway.ws_url, person))

    def restart_gateway(self) -> None:
        assert self.gateway.stop() == 0
        self.gateway.start().ready()


@contextmanager
def large(stack: Stack) -> Iterator[Large]:
    with ExitStack() as exits:
        yield Large(stack, exits)


def exchange(one: Socket, first: Person, two: Socket, second: Person) -> int:
    """A message each way; returns the conversation."""
    uuid = one.say(second.id, "hello")
    saved = one.saved(uuid)
    two.expect(type="message", uuid=uuid)
    back = two.say(first.id, "hello")
    two.saved(back)
    one.expect(type="message", uuid=back)
    return saved["conversation"]


# --- blocks ------------------------------------------------------------------------------
def change_block(parts: Large, method: str, person: Person, other: Person, theirs: Socket) -> None:
    """Until the other one's messages, on `theirs`, obey. The stack's persistence shares the table
    `outbox`: it may take the record that tells the owner, and produces it to a topic of its own.
    A repeated request writes the record again."""
    def obeyed() -> bool:
        assert parts.api.ask(method, f"/blocks/{other.id}", person).status_code == 204
        uuid = theirs.say(person.id, "let me in")
        told = theirs.until("an outcome", lambda frame: frame.get("uuid") == uuid
                            and frame["type"] == "state" and frame["state"] in ("saved", "error"))
        return told.get("code") == ("unknown_user" if method == "PUT" else None)
    until("the owner knows the block", obeyed)


def listed(parts: Large, person: Person) -> list[int]:
    found, after = [], 0
    while after is not None:
        page = parts.api.get("/blocks", person, after=after, limit=200)
        found += [entry["user"] for entry in page["blocks"]]
        after = page["next"]
    return found


def test_a_hundred_thousand_blocks_make_no_turn_slow(stack: Stack, api: Api):
    """Of one user, and by as many others of that user."""
    alice, bob, carol, dave = (api.register() for _ in range(4))
    assert insert(stack, f"INSERT INTO blocks (user, blocked, created_at) SELECT {alice.id},"
                         f" {FIRST} + n, {NOW} FROM {{numbers}} WHERE n > 0") == MANY - 1
    many_block(stack, alice)
    with large(stack) as parts:
        one, two, three = parts.enter(alice), parts.enter(bob), parts.enter(carol)
        conversation = exchange(one, alice, two, bob)
        exchange(one, alice, three, carol)
        one.watch(bob.id, carol.id)
        for socket, other in ((two, alice), (three, alice)):
            socket.watch(other.id)
            socket.until("presence", lambda frame: frame["type"] == "presence"
                         and {"user": other.id, "state": "online"} in frame["users"])
        # The last block that fits, and one too many.
        change_block(parts, "PUT", alice, carol, three)
        check_problem(parts.api.ask("PUT", f"/blocks/{dave.id}", alice), 422)
        assert len(listed(parts, alice)) == MANY
        change_block(parts, "DELETE", alice, carol, three)
        exchange(one, alice, three, carol)
        # The blockers of alice are looked up again after each change.
        for _ in range(5):
            change_block(parts, "PUT", bob, alice, one)
            one.typing(conversation)
            change_block(parts, "DELETE", bob, alice, one)
            exchange(one, alice, two, bob)
        two.typing(conversation)
        one.expect(type="typing", user=bob.id)
        parts.restart_gateway()
        one, two = parts.enter(alice), parts.enter(bob)
        exchange(one, alice, two, bob)
        parts.api.sync(alice)


def many_block(stack: Stack, person: Person) -> None:
    assert insert(stack, f"INSERT INTO blocks (user, blocked, created_at) SELECT {FIRST} + n,"
                         f" {person.id}, {NOW} FROM {{numbers}}") == MANY


def test_a_slow_turn_of_persistence_is_noticed(stack: Stack, api: Api):
    """Planted: with a limit of a millisecond, the query about the blockers is over it."""
    alice = api.register()
    many_block(stack, alice)
    own = apart(stack) | {"PERSISTENCE_TURN_MAX_MS": "1"}
    with Service(stack, "persistence-service", **own) as persistence, \
            Service(stack, "websocket-service",
                    KAFKA_TOPIC_SAVE=own["KAFKA_TOPIC_SAVE"]) as gateway, \
            open_socket(gateway.ws_url, alice):
        noticed = until("the turn is logged", lambda: [
            event for event in persistence.events("loop.slow_turn")
            if event["loop"] == "queries"])
        assert noticed[0]["level"] == "error"


# --- a room --------------------------------------------------------------------------------
def fill(stack: Stack, room: Group) -> None:
    """MANY members in all, with those who are in it already."""
    have = len(room.members(room.owner))
    insert(stack, f"INSERT INTO members (user, conversation, role, joined_at) SELECT {FIRST} + n,"
                  f" {room.id}, 1, {NOW} FROM {{numbers}} WHERE n >= {have}")
    insert(stack, f"INSERT IGNORE INTO large_members (user, conversation) SELECT user,"
                  f" conversation FROM members WHERE conversation = {room.id}")
    rows(stack, "UPDATE conversations SET member_count = %s, large = 1 WHERE id = %s",
         (MANY, room.id))


def crowd(parts: Large, person: Person) -> list[RawSocket]:
    raws = []
    for _ in range(SOCKETS):
        raws.append(RawSocket(parts.gateway.ws_url))
        parts.exits.callback(raws[-1].tcp.close)
        assert raws[-1].upgrade(person.token).status == 101
    return raws


def receive_all(raws: list[RawSocket], uuid: str) -> None:
    for raw in raws:
        while uuid.encode() not in raw.buffer:
            raw.fill()
        raw.buffer = b""


def test_a_room_of_a_hundred_thousand_makes_no_turn_slow(stack: Stack, api: Api):
    owner, admin, member, guest = (api.register() for _ in range(4))
    room = make(api, owner, admin, member, kind="channel")
    fill(stack, room)
    with large(stack) as parts:
        room.api = parts.api
        one, two, outside = parts.enter(owner), parts.enter(member), parts.enter(guest)
        raws = crowd(parts, admin)
        check_problem(room.ask("POST", "/join", guest), 422)
        room.leave(member)
        change_of(one, room.id, "left")
        two.refused(two.say_in(room.id, "I am out"), "unknown_conversation")
        room.join(member)
        change_of(two, room.id, "joined")
        for number in range(20):
            uuid = one.say_in(room.id, f"n{number}")
            seq = one.saved(uuid)["seq"]
            two.expect(type="message", uuid=uuid)
            receive_all(raws, uuid)
        two.typing(room.id)
        two.receipt("read", room.id, seq)
        two.saved(two.change("react", room.id, seq, reaction="👍"))
        one.saved(one.change("edit", room.id, seq, message="edited"))
        two.expect(type="edit", seq=seq)
        room.give(owner, admin, "admin")
        room.remove(admin, member)
        change_of(two, room.id, "removed")
        room.invite(admin, guest)
        change_of(outside, room.id, "invited")
        assert len(room.members(owner, limit=200)) == MANY
        parts.api.sync(guest)
        parts.api.conversations(owner)
        room.change(owner, name=f"renamed {new_uuid()}")
        parts.restart_gateway()
        one, outside = parts.enter(owner), parts.enter(guest)
        uuid = one.say_in(room.id, "after the restart")
        one.saved(uuid)
        outside.expect(type="message", uuid=uuid)
        room.delete(owner)
        for socket in (one, outside):
            change_of(socket, room.id, "deleted")


# --- rosters -------------------------------------------------------------------------------
def groups_of(stack: Stack, owner: Person, other: Person) -> list[int]:
    """ROSTERS groups of the two."""
    insert(stack, f"INSERT INTO conversations (kind, ckey, name, created_by, created_at,"
                  f" member_count) SELECT 2, CONCAT('c:x{owner.id}x', n), 'group', {owner.id},"
                  f" {NOW}, 2 FROM {{numbers}} WHERE n < {ROSTERS}")
    rows(stack, "UPDATE conversations SET ckey = CONCAT('c:', id) WHERE ckey LIKE %s",
         (f"c:x{owner.id}x%",))
    for person in (owner, other):
        rows(stack, "INSERT INTO members (user, conversation, role, joined_at)"
                    f" SELECT %s, id, 1, {NOW} FROM conversations"
                    " WHERE created_by = %s AND kind = 2", (person.id, owner.id))
    return [number for number, in rows(
        stack, "SELECT id FROM conversations WHERE created_by = %s AND kind = 2", (owner.id,))]


def type_in(groups: list[int], one: Socket, two: Socket) -> None:
    """Until `two` has heard of each; typing that is lost is sent again, after the interval."""
    missing = set(groups)

    def heard() -> bool:
        for number in missing:
            one.typing(number)
        deadline = time.monotonic() + 2 * TYPING_INTERVAL_S
        while missing and (left := deadline - time.monotonic()) > 0:
            try:
                frame = two.receive(left)
            except TimeoutError:
                break
            if frame["type"] == "typing":
                missing.discard(frame["conversation"])
        return not missing

    until("the other one has heard of all typing", heard)


def test_twenty_thousand_rosters_make_no_turn_slow(stack: Stack, api: Api):
    """A user types in as many groups as a gateway keeps rosters of, and all are evicted at once."""
    alice, bob = api.register(), api.register()
    groups = groups_of(stack, alice, bob)
    assert len(groups) == ROSTERS
    with large(stack) as parts:
        one, two = parts.enter(alice), parts.enter(bob)
        for first in range(0, ROSTERS, TYPED):
            type_in(groups[first:first + TYPED], one, two)
        asked = parts.gateway.metric("parley_roster_queries_total")
        assert asked >= ROSTERS
        change_block(parts, "PUT", bob, alice, one)
        # All rosters of alice are gone: the gateway asks about a group again.
        type_in(groups[:1], one, two)
        assert parts.gateway.metric("parley_roster_queries_total") > asked
