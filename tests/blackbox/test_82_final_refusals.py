"""A told refusal is final, also when persistence dies before it commits the offset."""

from collections.abc import Iterator

import pytest

from support.api import Person
from support.apart import Apart
from support.chat import Socket
from support.groups import Groups
from support.stack import Stack
from support.stores import database, rows

TRIES = 8


def add_member(stack: Stack, user: int, conversation: int) -> None:
    """As an invitation does, while persistence is away: the change takes a seq."""
    with database(stack) as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO members (user, conversation, role, joined_at)"
                       " VALUES (%s, %s, 1, NOW(3))", (user, conversation))
        cursor.execute("INSERT INTO messages (conversation, seq, sender, uuid, created_at, body,"
                       " kind) SELECT id, last_seq + 1, created_by,"
                       " UNHEX(REPLACE(UUID(), '-', '')), NOW(3),"
                       " JSON_OBJECT('what', 'invited', 'users', JSON_ARRAY(%s)), 2"
                       " FROM conversations WHERE id = %s", (user, conversation))
        cursor.execute("UPDATE conversations SET last_seq = last_seq + 1, member_count ="
                       " member_count + 1, last_message_id = (SELECT MAX(id) FROM messages)"
                       " WHERE id = %s", (conversation,))


@pytest.fixture
def parts(stack: Stack) -> Iterator[Apart]:
    stack.wait_ready()
    with Apart(stack) as parts:
        yield parts


@pytest.mark.slow
def test_a_refused_record_that_is_read_again_is_refused_again(
        parts: Apart, stack: Stack, api, alice: Person, bob: Person, enter):
    groups = Groups(stack.url)
    stranger = api.register()
    socket: Socket = enter(stranger, parts.ws_url)
    owner: Socket = enter(alice, parts.ws_url)
    for number in range(TRIES):
        group = groups.made(alice, "group", f"of tries {number}", bob)
        seq = owner.saved(owner.say_in(group, "hello"))["seq"]
        uuids = [socket.say_in(group, "let me in"),
                 socket.change("react", group, seq, reaction="👍")]
        for uuid in uuids:
            socket.refused(uuid, "unknown_conversation")
        parts.persistence.kill()
        add_member(stack, stranger.id, group)
        parts.persistence.start()
        marker = socket.say_in(group, "a member now")
        socket.saved(marker)
        told = {frame["uuid"] for frame in socket.seen
                if frame["type"] == "state" and frame["state"] == "saved"}
        assert not told & set(uuids), f"try {number}"
        texts = [entry.get("message") for entry in api.all_messages(alice, group)]
        assert "let me in" not in texts and "a member now" in texts
        # The reason has gone: now the client may send it again.
        socket.say_in(group, "let me in", uuid=uuids[0])
        socket.saved(uuids[0])
    groups.close()


def test_a_stopped_process_saves_nothing_that_the_next_owner_refused(
        parts: Apart, stack: Stack, alice: Person, bob: Person, enter):
    """Another process raises the epochs, as the next owner of the partitions does."""
    owner: Socket = enter(alice, parts.ws_url)
    owner.saved(owner.say(bob.id, "before"))
    with database(stack) as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE save_owners SET epoch = epoch + 1 WHERE topic = %s",
                       (parts.topic,))
    # It gives its partitions up, joins again, and goes on.
    owner.saved(owner.say(bob.id, "after"))
    assert rows(stack, "SELECT COUNT(*) FROM messages WHERE sender = %s", (alice.id,)) == [(2,)]
    assert parts.persistence.events("partitions.taken")
